// SPDX-License-Identifier: Apache-2.0
// The controller's Unix socket, and `chargehand ocpp` on it.
import { execFile } from 'node:child_process';
import { connect } from 'node:net';

// One command, as the program sends it.
export function ask(path, question) {
    return new Promise((resolve, reject) => {
        let text = '';
        const socket = connect(path, () => socket.write(JSON.stringify(question) + '\n'));
        socket.setEncoding('utf8').on('data', more => { text += more; })
            .on('error', reject)
            .on('end', () => resolve(JSON.parse(text)));
    });
}

// {code, stdout, stderr}
export function ocpp(path, ...args) {
    return new Promise(resolve => {
        execFile(process.env.CHARGEHAND, ['ocpp', '--socket', path, ...args],
            (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
    });
}
