// SPDX-License-Identifier: Apache-2.0
// The server of ocpp-rpc, for comparison: node rpc-server.mjs [strict]. It answers what
// a charger of the benchmark calls, and nothing more. Prints "port NUMBER".
import { RPCServer } from 'ocpp-rpc';

const server = new RPCServer({
    protocols: ['ocpp1.6'],
    strictMode: process.env.STRICT === '1',
});
const answers = {
    BootNotification: () => ({
        status: 'Accepted', interval: 300, currentTime: new Date().toISOString(),
    }),
    Heartbeat: () => ({ currentTime: new Date().toISOString() }),
    MeterValues: () => ({}),
    StatusNotification: () => ({}),
};

server.auth(accept => accept());
server.on('client', client => {
    for (const [action, answer] of Object.entries(answers))
        client.handle(action, answer);
});
const http = await server.listen(0, '127.0.0.1');
console.log(`port ${http.address().port}`);
