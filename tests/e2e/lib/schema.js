// SPDX-License-Identifier: Apache-2.0
// Payloads out of the JSON schemas that the ocpp-rpc package brings along: the least that
// is good, all that is good, each word once; and wrong ones.
import { createRequire } from 'node:module';

// of 'ocpp1_6', 'ocpp2_0_1': {ids: 'Reset.req' and 'Reset.conf' of all, actions, good(id),
// wrong(id)}
export function schemaOf(version) {
    const schemas = new Map(createRequire(import.meta.url)(`ocpp-rpc/lib/schemas/${version}.json`)
        .filter(s => s.$id.startsWith('urn:')).map(s => [s.$id.replace('urn:', ''), s]));
    return {
        ids: [...schemas.keys()].sort(),
        actions: [...schemas.keys()].filter(k => k.endsWith('.req'))
            .map(k => k.slice(0, -4)).sort(),
        good: id => good(schemas.get(id)),
        wrong: id => wrong(schemas.get(id)),
    };
}

function resolve(root, s) {
    return s.$ref ? root.definitions[s.$ref.replace('#/definitions/', '')] : s;
}

function text(name, s) {
    if (s.format === 'date-time' || /(Timestamp|DateTime)$/.test(name))
        return '2030-01-01T00:00:00Z';
    if (s.format === 'uri' || /location$/i.test(name))
        return 'http://127.0.0.1/x';
    if (name === 'value')
        return '1.5';
    return 'x'.repeat(Math.min(s.maxLength ?? 20, 20));
}

// pick(path, words) chooses an enum's word
function value(root, name, schema, path, all, pick) {
    const s = resolve(root, schema);
    if (s.enum)
        return pick(path, s.enum);
    switch (s.type) {
    case 'string': return text(name, s);
    case 'integer': return name === 'startPeriod' ? 0 : 1;
    case 'number': return 6.1;
    case 'boolean': return true;
    case undefined: return { any: ['x', 1] };
    case 'array': return [value(root, name, s.items, path, all, pick)];
    }
    const o = {};
    for (const [k, v] of Object.entries(s.properties ?? {}))
        if (all || s.required?.includes(k))
            o[k] = value(root, k, v, `${path}.${k}`, all, pick);
    return o;
}

const first = (path, words) => words[0];

// Good payloads of 'Reset.req': [{what, payload}]
function good(s) {
    const list = [
        { what: 'least', payload: value(s, '', s, '', false, first) },
        { what: 'all', payload: value(s, '', s, '', true, first) },
    ];
    const words = new Map();
    value(s, '', s, '', true, (path, w) => (words.set(path, w), w[0]));
    for (const [path, w] of words)
        for (const word of w.slice(1))
            list.push({
                what: `${path} = ${word}`,
                payload: value(s, '', s, '', true, (p, ws) => p === path ? word : ws[0]),
            });
    return list;
}

// Wrong ones: each field of the first level gone, of another type, too long, made up.
function wrong(s) {
    const all = () => value(s, '', s, '', true, first);
    const list = [{ what: 'a field too many', payload: { ...all(), madeUp: 1 } }];
    for (const [k, v] of Object.entries(s.properties ?? {})) {
        const f = resolve(s, v);
        if (!f.type)
            continue; // anything
        if (s.required?.includes(k)) {
            const payload = all();
            delete payload[k];
            list.push({ what: `no ${k}`, payload });
        }
        list.push({ what: `${k} of another type`,
            payload: { ...all(), [k]: f.type === 'string' ? 1 : 'x' } });
        list.push({ what: `${k} is null`, payload: { ...all(), [k]: null } });
        if (f.enum)
            list.push({ what: `${k} made up`, payload: { ...all(), [k]: 'MadeUp' } });
        if (f.maxLength)
            list.push({ what: `${k} too long`,
                payload: { ...all(), [k]: 'x'.repeat(f.maxLength + 1) } });
        if (f.type === 'integer')
            list.push({ what: `${k} is broken`, payload: { ...all(), [k]: 1.5 } });
    }
    return list;
}
