/* SPDX-License-Identifier: Apache-2.0 */
/* What chargers make of connections, transactions and meters: quirks Q41 to Q70. */
#include <stddef.h>

#include "quirks.h"

#define I(value, phase)                                                                \
    "{'value':'" value "','measurand':'Current.Import','phase':'" phase "'}"
#define ONE(time, amps)                                                                \
    "> MeterValues {'connectorId':1,'meterValue':[{'timestamp':'" time                 \
    "','sampledValue':[" I(amps, "L1") "]}]}\n"
#define KEYS_SEEN "link\nboot\ntold default0-endless 6 Accepted\ngot GetConfiguration\n"

const struct quirk quirks_rest[] = {
    {"Q41", "names no subprotocol", NULL,
     "real sockets: tests/test_ocpp_server.c, tests/test_ocpp_auth.c"},
    {"Q42", "has an odd path, like ///charger or a slash at its end", NULL,
     "tests/test_ocpp_auth.c"},
    {"Q43", "sends messages of 2.0.1 on a connection of 1.6",
     "up\n> TransactionEvent {'eventType':'Started','seqNo':0} = NotImplemented\n"
     "> StatusNotification {'evseId':1,'connectorId':1,'connectorStatus':'Occupied'}"
     " = OccurenceConstraintViolation\n"
     "trouble speaks OCPP 2.0.1 on a connection of 1.6 (TransactionEvent): set "
     "chargers[].ocpp\n"
     "> Heartbeat {} = {'currentTime':'2019-03-01T14:20:05Z'}"},
    {"Q44", "sends a CALLERROR of three or four elements, or of an unknown code",
     "up\norder 8\ngot SetChargingProfile\nraw [4,'@','FormationViolation']\n"
     "told default0-steps 8 !FormatViolation\ntold default0-endless 8 Accepted\n"
     "core accepted\norder 9\ngot SetChargingProfile\nraw [4,'@','Oops','what',{}]\n"
     "core none"},
    {"Q45", "cuts off its answers",
     KEYS_SEEN
     "raw [3,'@',{'configurationKey':[}\ngot GetConfiguration\n"
     "raw [3,'@',{'configurationKey':[]\ngot ChangeConfiguration\nanswer Accepted\n"
     "settle\norder 8\ntold default1 8 Accepted"},
    {"Q46", "makes up words",
     "up\n> StatusNotification {'connectorId':1,'errorCode':'Error',"
     "'status':'Charging'}\n"
     "> MeterValues {'connectorId':1,'meterValue':[{'timestamp':"
     "'2019-03-01T14:20:05Z','sampledValue':[{'value':'9','context':'Trigger',"
     "'measurand':'Current.Import','phase':'L1','unit':'A'},{'value':'40',"
     "'measurand':'Temperature','unit':'Celcius'}]}]}\namps 9 - -"},
    {"Q47", "sends empty lists, and numbers for texts",
     "up\n> MeterValues {'connectorId':1,'meterValue':[{'timestamp':"
     "'2019-03-01T14:20:05Z','sampledValue':[]}]}\nheard 0\n"
     "> MeterValues {'connectorId':'1','meterValue':[{'timestamp':"
     "'2019-03-01T14:20:06Z','sampledValue':[{'value':9.5,'measurand':"
     "'Current.Import','phase':'L1'}]}]}\namps 9.5 - -"},
    {"Q48", "tells local time, an offset, or 1970",
     "up\n" ONE("2019-03-01T15:20:05", "7") "amps 7 - -\n" ONE(
         "2019-03-01T15:20:06+01",
         "8") "wait 10000\n" ONE("1970-01-01T00:00:10Z",
                                 "9") "wait 10000\n" ONE("1970-01-01T00:00:20Z",
                                                         "10") "amps 10 - -"},
    {"Q49", "is confused by offsets and fractions",
     "link\nboot\nsettle\n> Heartbeat {} = {'currentTime':'2019-03-01T14:20:00Z'}"},
    {"Q50", "comes back while its old connection seems to be there",
     "up\norder 8\ntold default1 8 Accepted\nlink\nboot\n"
     "told default0-endless 6 Accepted\nsettle\norder 8\ntold default1 8 "
     "Accepted\ncalm"},
    {"Q51", "garbles compressed frames", NULL,
     "none for 1.6, and none for who does that: tests/test_ocpp_deflate.c"},
    {"Q52", "hangs up when it is pinged, or wants it",
     "conf WebSocketPingInterval=0\nlink\nboot\ntold default0-endless 6 Accepted\n"
     "got GetConfiguration\nanswer {'configurationKey':[{'key':"
     "'WebSocketPingInterval','value':'0','readonly':false}]}\n"
     "got ChangeConfiguration\nanswer Accepted\ngot ChangeConfiguration\n"
     "answer Accepted\ngot ChangeConfiguration 'WebSocketPingInterval','value':'30'"},
    {"Q53", "does not come back",
     "up\norder 8\ntold default1 8 Accepted\ndown\nwait 11000\n"
     "trouble not connected\norder 6\ncore rejected"},
    {"Q54", "hangs when it is to trigger a BootNotification",
     "link\nwait 5000\nsettle\nwait 5000\nsettle\nhasnt BootNotification"},
    {"Q55", "dies of meter values that are triggered too often",
     "up\nwait 10000\nsample\ngot TriggerMessage MeterValues\nanswer Accepted\n"
     "sample\nsample\nwait 4000\nquiet\nwait 1100\ngot TriggerMessage\n"
     "answer NotImplemented\nsample\nwait 60000\nquiet\nrecord trigger=no"},
    {"Q55b", "... and is known for that",
     "models\nup MENNEKES|AMTRON 4You|1\nsample\nwait 60000\nquiet\n"
     "quiet TriggerMessage"},
    {"Q56", "knows GetConfiguration with keys only, or without, or in another case",
     KEYS_SEEN
     "answer !NotSupported\ngot GetConfiguration {}\n"
     "answer {'configurationKey':[{'key':'chargingscheduleallowedchargingrateunit',"
     "'value':'Power'}],'unknownKey':['NumberOfConnectors']}\nsettle\norder 8\n"
     "told default1W 5520 Accepted"},
    {"Q57", "ends a transaction by the id 0 or -1",
     "up\ntx\n> StopTransaction {'transactionId':-1,'meterStop':5} = {}\n"
     "session ended\ntx\n> StopTransaction {'transactionId':0,'meterStop':5} = {}\n"
     "session ended"},
    {"Q58", "keeps an id that the controller gives another charger after a restart",
     "up\ntx\nstop\ntx\nsession begins"},
    {"Q59", "has a transaction under way that we did not begin",
     "up\n> MeterValues {'connectorId':1,'transactionId':777,'meterValue':"
     "[{'timestamp':'2019-03-01T14:20:05Z','sampledValue':[{'value':'4200'}]}]}\n"
     "session resumed\norder 8\ntold tx1 8 Accepted\nhas 'transactionId':777,"},
    {"Q60", "boots into Preparing: its old transaction is over",
     "up\ntx\nsettle\nboot\n> StatusNotification {'connectorId':1,"
     "'errorCode':'NoError','status':'Preparing'}\nsession ended"},
    {"Q60b", "boots and goes on with it",
     "up\ntx\nsettle\nboot\n> StatusNotification {'connectorId':1,"
     "'errorCode':'NoError','status':'Charging'}\nvalues [{'value':'9'}]\n"
     "wait 60000\nsession begins"},
    {"Q61", "charges before StartTransaction, or without any",
     "up\n> StatusNotification {'connectorId':1,'errorCode':'NoError',"
     "'status':'Preparing'}\nvalues [" I(
         "9", "L1") "]\namps 9 - -\nsession none\n"
                    "wait 30000\nvalues [" I(
                        "9", "L1") "]\nsession none\nwait 31000\n"
                                   "values [" I(
                                       "9",
                                       "L1") "]\nsession resumed\norder 8\n"
                                             "told default1 8 Accepted\nwait 10000\n"
                                             "> MeterValues "
                                             "{'connectorId':1,'transactionId':555,'"
                                             "meterValue':[]}\n"
                                             "session resumed"},
    {"Q62", "takes one meter value only",
     KEYS_SEEN
     "answer {'configurationKey':[{'key':'MeterValuesSampledData',"
     "'value':'','readonly':false},{'key':'MeterValueSampleInterval','value':10},"
     "{'key':'WebSocketPingInterval','value':30}]}\n"
     "got ChangeConfiguration Current.Import,Power.Active.Import,Energy\n"
     "answer Rejected\ngot ChangeConfiguration Current.Import,Energy\n"
     "answer Rejected\ngot ChangeConfiguration Current.Import,Power\n"
     "answer Rejected\ngot ChangeConfiguration Power.Active.Import,Energy\n"
     "answer Rejected\ngot ChangeConfiguration 'Current.Import'\nanswer Accepted\n"
     "settle\nquiet"},
    {"Q62b", "tells no currents: they come of its power",
     "up\ntx\nvalues [{'value':'6900','measurand':'Power.Active.Import','unit':'W'}]\n"
     "amps 10 10 10\nrecord values=power"},
    {"Q62c", "tells its energy register only",
     "up\ntx\nvalues [{'value':'1000'}]\namps - - -\nwait 10000\n"
     "values [{'value':'1019'}]\namps 9.913 9.913 9.913\nwait 10000\n"
     "values [{'value':'1050'}]\namps 9.913 9.913 9.913\nwatts 6840\nwait 10000\n"
     "values [{'value':'1050'}]\namps 0 0 0\nrecord values=energy"},
    {"Q62c", "... of which a mean from before a limit shows no disobedience",
     "up\ntx\norder 16\ntold tx1 16 Accepted\nvalues [{'value':'1000'}]\nsettle\n"
     "wait 60000\nvalues [{'value':'1180'}]\nwait 60000\nvalues [{'value':'1360'}]\n"
     "amps 15.652 15.652 15.652\nwait 30000\norder 6\ntold tx1 6 Accepted\nwait 30000\n"
     "values [{'value':'1500'}]\namps 6 6 6\nwait 60000\nvalues [{'value':'1680'}]\n"
     "amps 12.173 12.173 12.173"},
    {"Q62d", "... in whole kWh",
     "up\ntx\nvalues [{'value':'1','unit':'kWh'}]\nwait 10000\n"
     "values [{'value':'1','unit':'kWh'}]\namps - - -\nwait 10000\n"
     "values [{'value':'2','unit':'kWh'}]\namps - - -"},
    {"Q63", "wants Current.Import.L1 for a measurand",
     "up\nvalues [{'value':'7','measurand':'Current.Import.L1'},"
     "{'value':'8','measurand':'Current.Import.L2'}]\namps 7 8 -"},
    {"Q64", "has a list of its own, and sends empty values at first",
     "up\nvalues [" I("",
                      "L1") ",{'value':'','measurand':"
                            "'Energy.Active.Import.Register'}]\nheard 0\nvalues [" I(
                                "6", "L1") "]\n"
                                           "amps 6 - -"},
    {"Q65", "tells a current of N, of L1-N, or without a phase",
     "up\nvalues [" I("16", "L1") "," I(
         "15",
         "N") "]\namps 16 - -\nwait 1000\n"
              "values [" I("16", "L1-N") "," I("15", "L2-N") "," I(
                  "14",
                  "L3-N") "]\n"
                          "amps 16 15 14\nwait 1000\n"
                          "values [{'value':'10','measurand':'Current.Import'}]\namps "
                          "10 10 10"},
    {"Q65b", "tells L1 of three phases only",
     "up\nvalues [" I("10", "L1") ",{'value':'6.9','unit':'kW','measurand':"
                                  "'Power.Active.Import'}]\namps 10 10 10\nwatts 6900"},
    {"Q66", "mixes W and kW, pads numbers, tells totals and phases",
     "up\nvalues [" I(" 9.6", "L1") ",{'value':'6.9','unit':'kW','measurand':"
                                    "'Power.Active.Import'},{'value':'2300','unit':'W',"
                                    "'phase':'L1','measurand':"
                                    "'Power.Active.Import'},{'value':'12.5','unit':'"
                                    "kWh'}]\nwatts 6900\nwh 12500"},
    {"Q67", "tells no power on three phases",
     "up\nvalues [" I("10", "L1") "," I("10", "L2") "," I(
         "10",
         "L3") ",{'value':'240',"
               "'measurand':'Voltage','phase':'L1-N'},{'value':'240','measurand':'"
               "Voltage',"
               "'phase':'L2-N'},{'value':'240','measurand':'Voltage','phase':'L3-N'}]\n"
               "watts 7200"},
    {"Q68", "begins its energy register anew with each session", NULL,
     "tests/test_book.c; control never uses it"},
    {"Q69", "sends stored values of the past when it connects",
     "up\n" ONE("2019-03-01T14:20:05Z", "10") ONE("2019-03-01T12:00:00Z", "1")
         ONE("2019-03-01T12:01:00Z", "2") "amps 10 - -\nheard 1"},
    {"Q69b", "sends values in the wrong order",
     "up\n> MeterValues {'connectorId':1,'meterValue':[{'timestamp':"
     "'2019-03-01T14:20:25Z','sampledValue':[" I(
         "12", "L1") "]},{'timestamp':"
                     "'2019-03-01T14:20:20Z','sampledValue':[" I(
                         "3", "L1") "]}]}\namps 12 - -"},
    {"Q70", "tells the status of connector 0",
     "up\n> StatusNotification {'connectorId':0,'errorCode':'NoError',"
     "'status':'Unavailable'}\ncalm\nsession none\n> MeterValues {'connectorId':0,"
     "'meterValue':[{'timestamp':'2019-03-01T14:20:05Z','sampledValue':[" I(
         "99", "L1") "]}]}\nheard 0"},
};
const int n_quirks_rest = sizeof quirks_rest / sizeof quirks_rest[0];
