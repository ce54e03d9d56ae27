/* SPDX-License-Identifier: Apache-2.0 */
/* What chargers make of charging profiles: quirks Q1 to Q40. */
#include <stddef.h>

#include "quirks.h"

#define CURRENTS(a, b, c)                                                              \
    "[{'value':'" a "','measurand':'Current.Import','phase':'L1'},"                    \
    "{'value':'" b "','measurand':'Current.Import','phase':'L2'},"                     \
    "{'value':'" c "','measurand':'Current.Import','phase':'L3'}]"
#define OFFERED(amps) "[{'value':'" amps "','measurand':'Current.Offered'}]"
#define REFUSED_LADDER(amps, reply)                                                    \
    "told default1 " amps " " reply "\ntold default0-steps " amps " " reply            \
    "\ntold default0-endless " amps " " reply "\ntold max0-steps " amps " " reply      \
    "\ntold max0-endless " amps " " reply "\n"

const struct quirk quirks_profiles[] = {
    {"Q1", "refuses the stack level that it tells as its highest, takes 0",
     "conf ChargeProfileMaxStackLevel=3\nup ABB|Terra AC|1.8.0\n"
     "order 8\ntold default1 8 Rejected\ntold default0-steps 8 Accepted\n"
     "core accepted\norder 9\ntold default0-steps 9 Accepted\ncore accepted\n"
     "tx\ntold tx1 9 Rejected\ntold tx0 9 Accepted\nrecord tx=0!\nrecord "
     "default=steps!"},
    {"Q1b", "... and is remembered by that, until it has another firmware",
     "up ABB|Terra AC|1.8.0\norder 8\ntold default1 8 Rejected\n"
     "told default0-steps 8 Accepted\nwait 1000\nnew\nup ABB|Terra AC|1.8.0\n"
     "order 8\ntold default0-steps 8 Accepted\ndown\nup ABB|Terra AC|1.9.0\norder 8\n"
     "told default1 8 Accepted"},
    {"Q1c", "... and is known by its name before it is asked",
     "models\nup ABB|Terra AC|1.8.0\norder 8\ntold default0-steps 8 Accepted\n"
     "tx\ntold tx0 8 Accepted"},
    {"Q2", "supports stack level 0 only",
     "conf ChargeProfileMaxStackLevel=0\nup\norder 8\ntold default0-steps 8 Accepted\n"
     "tx\ntold tx0 8 Accepted"},
    {"Q3", "cannot clear profiles of stack level 0",
     "conf ChargeProfileMaxStackLevel=1\nlink\nboot\nsettle\norder 16\n"
     "told default1 16 Accepted\norder 6\ntold default1 6 Accepted\nquiet"},
    {"Q4", "once cannot read its highest level; a profile above ours stays for days",
     "conf ChargeProfileMaxStackLevel=10\nlink\nboot\n"
     "told default0-endless 6 Accepted\ngot GetConfiguration\nanswer !InternalError\n"
     "got GetConfiguration\nanswer {'configurationKey':[{'key':"
     "'ChargeProfileMaxStackLevel','value':'10'}]}\n"
     "got ChangeConfiguration\nanswer Accepted\ngot ChangeConfiguration\n"
     "answer Accepted\ngot ChangeConfiguration\nanswer Accepted\n"
     "got ClearChargingProfile 'stackLevel':2\nanswer Accepted\nsettle\n"
     "down\nlink\nboot\ntold default0-endless 6 Accepted\ngot GetConfiguration\n"
     "answer -\nsettle\norder 8\ntold default1 8 Accepted"},
    {"Q5", "tells absurd levels",
     "conf ChargeProfileMaxStackLevel=999\nlink\nboot\n"
     "told default0-endless 6 Accepted\nsettle\norder 8\ntold default1 8 Accepted\n"
     "tx\ntold tx1 8 Accepted"},
    {"Q6", "refuses everything until a switch in its own settings is on",
     "link\nboot Schneider|EVlink|3\ntold default0-endless 6 Rejected\nsettle\n"
     "order 8\n" REFUSED_LADDER(
         "8", "Rejected") "settle Rejected\ntrouble switched on in its own settings"},
    {"Q7", "knows no ChargePointMaxProfile",
     "up\norder 8\ntold default1 8 Accepted\nhasnt ChargePointMaxProfile\ntx\n"
     "told tx1 8 Accepted\nhasnt ChargePointMaxProfile\nquiet"},
    {"Q8", "honours ChargePointMaxProfiles only and says so",
     "up\norder 8\ntold default1 8 Rejected\ntold default0-steps 8 Rejected\n"
     "told default0-endless 8 NotSupported\ntold max0-steps 8 Accepted\n"
     "has 'connectorId':0,\nhas 'startPeriod':360,'limit':6}\ncore accepted\n"
     "record default=max!\norder 9\ntold max0-steps 9 Accepted"},
    {"Q8b", "... or accepts all and follows only those",
     "up\norder 8\ntold default1 8 Accepted\ninsist 8\n"
     "told default0-steps 8 Accepted\ngot ClearChargingProfile 'id':2\nanswer "
     "Accepted\n"
     "insist 8\ntold default0-endless 8 Accepted\n"
     "insist 8\ntold max0-steps 8 Accepted\ncore accepted"},
    {"Q9", "refuses a ChargePointMaxProfile that is Relative",
     "site profile_kind 2\nsite default_profile 5\nup\norder 8\n"
     "told max0-endless 8 !PropertyConstraintViolation\nsettle\ncore rejected"},
    {"Q10", "does not answer to Absolute schedules at all, takes Relative ones",
     "link\nboot Timxon|T1|1\n> Heartbeat = {'currentTime':'2019-03-01T14:20:00Z'}\n"
     "told default0-endless 6 -\nsettle\norder 8\ntold default1 8 -\ncore none\n"
     "settle\norder 8\ntold default1-endless~ 8 Accepted\ncore accepted\n"
     "record kind=relative!\ntrouble takes no limit that ends by itself"},
    {"Q10b", "... nor to one form of two: what it may have taken is cleared",
     "up\norder 12\ntold default1 12 -\ncore none\norder 8\ntold default1 8 -\n"
     "core none\norder 8\ntold default0-steps 8 Accepted\ncore open\n"
     "got ClearChargingProfile {'id':2}\nanswer Unknown\ncore accepted\norder 9\n"
     "told default0-steps 9 Accepted\ncore accepted"},
    {"Q10b", "... or feared, where that is not answered",
     "up\norder 12\ntold default1 12 -\norder 8\ntold default1 8 -\norder 8\n"
     "told default0-steps 8 Accepted\ngot ClearChargingProfile {'id':2}\nanswer -\n"
     "core none\norder 8\ntold default0-steps 8 Accepted\n"
     "got ClearChargingProfile {'id':2}\nanswer Accepted\ncore accepted"},
    {"Q10c", "is only slow once: the form stays",
     "up\norder 12\ntold default1 12 -\ncore none\norder 8\ntold default1 8 Accepted\n"
     "core accepted\norder 9\ntold default1 9 -\norder 9\ntold default1 9 -\norder 9\n"
     "told default1 9 Accepted"},
    {"Q11", "is of either kind: the site file knows better",
     "site profile_kind 2\nsite tx_profile 3\nsite default_profile 3\nup\ntx\norder 8\n"
     "told default0-endless~ 8 Accepted\nsite profile_unit 2\ndown\nup\norder 8\n"
     "told default0-endless~W 5520 Accepted"},
    {"Q12", "has a clock that is late: a start now lies in its future",
     "up\norder 8\ntold default1 8 Accepted\n"
     "has 'duration':360,'startSchedule':'2019-03-01T14:19:05Z'"},
    {"Q13", "refuses Absolute without a start, or Relative with one",
     "up\norder 8\ntold default1 8 Accepted\nhas 'startSchedule'\nnew\n"
     "site profile_kind 2\nup\norder 8\ntold default1-endless~ 8 Accepted\n"
     "hasnt 'startSchedule'"},
    {"Q14", "does not understand windows of validity",
     "up\norder 8\ntold default1 8 Accepted\nhasnt valid\ntx\ntold tx1 8 Accepted\n"
     "hasnt valid"},
    {"Q15", "refuses a TxProfile without the id of the transaction",
     "up\ntx\norder 8\ntold tx1 8 Accepted\nhas 'transactionId':101,\nstop\n"
     "settle\n> MeterValues {'connectorId':1,'transactionId':777,'meterValue':[]} = "
     "{}\n"
     "> MeterValues {'connectorId':1,'transactionId':777,'meterValue':[{'timestamp':"
     "'2019-03-01T14:20:09Z','sampledValue':[{'value':'4200'}]}]}\nsettle\norder 9\n"
     "told tx1 9 Accepted\nhas 'transactionId':777,"},
    {"Q15b", "refuses it while it has not taken in that the transaction has begun",
     "up\norder 8\ntold default1 8 Accepted\ntx now\ntold tx1 8 Rejected\n"
     "told default1 8 Accepted\nwait 5100\ntold tx1 8 Accepted\nsettle\n"
     "record tx=1!"},
    {"Q16", "refuses a TxProfile while there is no transaction",
     "up\norder 8\ntold default1 8 Accepted\ntx\ntold tx1 8 Accepted\nstop\n"
     "told default1 8 Accepted\nquiet"},
    {"Q17", "takes a new TxDefaultProfile for the next transaction only",
     "up\norder 16\ntold default1 16 Accepted\ntx\ntold tx1 16 Accepted\norder 8\n"
     "told tx1 8 Accepted\nsettle\ninsist 8\ntold tx0 8 Accepted"},
    {"Q18", "takes no TxProfile",
     "up\ntx\norder 8\ntold tx1 8 NotSupported\ntold default1 8 Accepted\n"
     "core accepted\nrecord tx=no\norder 9\ntold default1 9 Accepted\nstop\nsettle\n"
     "tx\ntold default1 9 Accepted\nquiet"},
    {"Q19", "obeys a TxProfile of its app on a higher level",
     "link\nboot\ntold default0-endless 6 Accepted\n"
     "> MeterValues {'connectorId':1,'transactionId':777,'meterValue':"
     "[{'sampledValue':[{'value':'4200'}]}]}\n"
     "got GetConfiguration\nanswer {'configurationKey':["
     "{'key':'ChargeProfileMaxStackLevel','value':2},"
     "{'key':'MeterValueSampleInterval','value':10},{'key':'WebSocketPingInterval',"
     "'value':30},{'key':'MeterValuesSampledData','readonly':true,'value':''}]}\n"
     "got ClearChargingProfile TxDefaultProfile\nanswer Unknown\n"
     "got ClearChargingProfile {'chargingProfilePurpose':'TxProfile','stackLevel':2}\n"
     "answer Accepted"},
    {"Q20", "refuses a profile inside of RemoteStartTransaction",
     "up\norder 8\nsettle\ntx\nsettle\nquiet RemoteStartTransaction"},
    {"Q21", "checks that limits are multiples of 0.1",
     "up\norder 6.66\ntold default1 6.6}] Accepted\norder 16\n"
     "told default1 16}] Accepted\norder 31.95\ntold default1 31.9}] Accepted"},
    {"Q22", "obeys whole amperes only",
     "up\ntx\norder 8.6\ntold tx1 8.6 Accepted\nwait 6000\nvalues " OFFERED(
         "8") "\nsettle\nrecord step=1\norder 9.7\ntold tx1 9}] Accepted"},
    {"Q22b", "obeys tenths, and shows it",
     "up\ntx\norder 8.6\ntold tx1 8.6 Accepted\nwait 6000\nvalues " OFFERED(
         "8.6") "\nsettle\nrecord step=0.1\norder 9.7\ntold tx1 9.7}] Accepted"},
    {"Q23", "takes watts only",
     "conf ChargingScheduleAllowedChargingRateUnit=power\nup\norder 8.05\n"
     "told default1W 5554}] Accepted\ntx\ntold tx1W 5554}] Accepted"},
    {"Q23b", "... and does not tell it",
     "link\nboot MicroOcpp|Simulator|1\ntold default0-endless 6 Rejected\nsettle\n"
     "order 8\n" REFUSED_LADDER("8",
                                "Rejected") "told default1-endless~ 8 Rejected\ntold "
                                            "default0-endless~ 8 Rejected\n"
                                            "told default1W 5520 Accepted\ncore "
                                            "accepted\nrecord unit=W\nsettle\nquiet\n"
                                            "order 9\ntold default1W 6210 Accepted"},
    {"Q24", "answers GetCompositeSchedule in another unit",
     "up\norder 8\nsettle\ntx\nsettle\nwait 60000\nquiet GetCompositeSchedule"},
    {"Q25", "ignores numberPhases; how many a car uses is seen",
     "conf ChargingScheduleAllowedChargingRateUnit=Power\nup\ntx\norder 10\n"
     "told tx1W 6900}] Accepted\nhasnt numberPhases\nvalues " CURRENTS(
         "10", "0", "0") "\nsettle\norder 10\ntold tx1W 2300}] Accepted"},
    {"Q26", "takes the lowest numberPhases of all its profiles",
     "up\norder 8\ntold default1 8 Accepted\nhasnt Phase\nhasnt phase"},
    {"Q27", "speaks 2.0.1 and checks by the schema of 1.6", NULL,
     "it is told to pin it: tests/test_ocpp201.c, tests/test_ocpp_server.c"},
    {"Q28", "has no smart charging at all",
     "conf SupportedFeatureProfiles=Core\nlink\nboot Heidelberg|connect.business|1\n"
     "told default0-endless 6 NotSupported\nsettle\norder 8\n" REFUSED_LADDER(
         "8", "!NotSupported") "core rejected\ntrouble refuses every form of a "
                               "limit\nquiet RemoteStopTransaction"},
    {"Q29", "does not list smart charging, but can do it",
     "conf SupportedFeatureProfiles=Core,RemoteTrigger\nup\norder 8\n"
     "told default1 8 Accepted\ncore accepted"},
    {"Q30", "stays at an old limit of the whole charger",
     "conf ChargeProfileMaxStackLevel=1\nlink\nboot Wallbox|Pulsar|5\n"
     "told default0-endless 6 Accepted\ngot GetConfiguration\n"
     "answer {'configurationKey':[{'key':'MeterValueSampleInterval','value':10},"
     "{'key':'WebSocketPingInterval','value':30},{'key':'MeterValuesSampledData',"
     "'readonly':true,'value':'Current.Import'}]}\n"
     "got ClearChargingProfile {'chargingProfilePurpose':'ChargePointMaxProfile'}"},
    {"Q31", "pauses on 0 A",
     "up\ntx\norder 10\ntold tx1 10 Accepted\nvalues " CURRENTS(
         "10", "10", "10") "\norder 0\ntold tx1 0 Accepted\nsettle\nwait "
                           "10000\nvalues " CURRENTS("0", "0",
                                                     "0") "\nrecord zero=pauses\norder "
                                                          "8\ntold tx1 8 Accepted"},
    {"Q31b", "ends the transaction on 0 A",
     "up\ntx\norder 10\ntold tx1 10 Accepted\nvalues " CURRENTS(
         "10", "10",
         "10") "\norder 0\ntold tx1 0 Accepted\nsettle\nwait 5000\nstop Other\nsettle\n"
               "record zero=ends"},
    {"Q31c", "goes on drawing on 0 A, or resumes without any limit",
     "up\ntx\norder 10\ntold tx1 10 Accepted\nvalues " CURRENTS(
         "10", "10", "10") "\norder 0\ntold tx1 0 Accepted\nsettle\nwait "
                           "70000\nvalues " CURRENTS("16", "16",
                                                     "16") "\namps 16 16 16\nrecord "
                                                           "zero=draws"},
    {"Q32", "keeps 0 A over a restart and is locked by it",
     "up\norder 0\ntold default1 0 Accepted\nhas 'duration':360\ntx\n"
     "told tx1 0 Accepted\nhas 'duration':360"},
    {"Q33", "has a car that never wakes after 0 A", NULL,
     "a matter of turns and of asking again: tests/test_turn.c, test_reclaim.c"},
    {"Q34", "begins no new transaction until the car was unplugged",
     "up\ntx\norder 10\nsettle\norder 0\ntold tx1 0 Accepted\nsettle\norder 10\n"
     "told tx1 10 Accepted\nsettle\nquiet RemoteStopTransaction\n"
     "quiet RemoteStartTransaction"},
    {"Q35", "makes 6 A of 1 to 5 A",
     "up\norder 5.9\ntold default1 0}] Accepted\norder 6\n"
     "told default1 6}] Accepted\norder 1\ntold default1 0}] Accepted"},
    {"Q36", "writes each profile to its flash memory",
     "up\norder 8\ntold default1 8 Accepted\nwait 240000\nquiet\ntx\n"
     "told tx1 8 Accepted\nwait 30000\nquiet"},
    {"Q37", "forgets its profiles with the connection",
     "up\norder 8\ntold default1 8 Accepted\ndown\nlink\n"
     "> Heartbeat {} = {'currentTime':'2019-03-01T14:20:05Z'}\n"
     "told default0-endless 6 Accepted\nsettle\norder 8\ntold default1 8 Accepted"},
    {"Q37b", "... as the probe has shown",
     "habits keeps=no\nup Go-e|Box|56.2\nwait 1000\ntrouble its fallback must be"},
    {"Q38", "keeps only the last of its profiles over a power cut",
     "up\norder 8\ntold default1 8 Accepted\nboot\ntold default0-endless 6 Accepted\n"
     "settle\norder 8\ntold default1 8 Accepted\ncore accepted"},
    {"Q39", "takes half a minute to forget a profile",
     "up\norder 8\ntold default1 8 Accepted\ntx\ntold tx1 8 Accepted\norder 16\n"
     "told tx1 16 Accepted\nquiet"},
    {"Q39b", "begins the next transaction by what stands below the TxProfile",
     "up\norder 16\ntold default1 16 Accepted\ntx\ntold tx1 16 Accepted\norder 8\n"
     "told tx1 8 Accepted\ncore accepted\ntold default1 8 Accepted\nquiet\norder 0\n"
     "told tx1 0 Accepted\ntold default1 0 Accepted\nquiet\norder 10\n"
     "told tx1 10 Accepted\nquiet\nstop\ntold default1 10 Accepted"},
    {"Q40", "computes its composite schedule wrongly",
     "up\norder 8\nsettle\ntx\nsettle\nwait 60000\nquiet GetCompositeSchedule"},
};
const int n_quirks_profiles = sizeof quirks_profiles / sizeof quirks_profiles[0];
