// Seeded, property-based: every operation, every parameter with values that fit and values that do
// not, bodies of any kind and bodies with one member wrong. Whatever is sent, the answer is one that
// the document promises.
const NASTY = ["", "0", "-1", "1e999", "NaN", "null", "' OR 1=1 --", "{x:String}", "\u0000", "%", "[a=b",
               "((((", "=~(", "tag.'", "😀", "\u202e", "../../etc/passwd", "x".repeat(2000), "a=b]]",
               "[country=~(a]", "start=2,end=1", "last=0s", "last=9999999w", "9".repeat(30), ",,,,"];
const BODIES = ["", "{}", "[]", "null", "[[[[[[", "{\"a\":", "\u0000", "\"text\"", "1e999", "[null]",
                "grant_type=password", "grant_type=refresh_token&refresh_token=x", "cid=\"a\",sid=\"b\"",
                JSON.stringify({ grant_type: "password", username: "u".repeat(5000), password: 7 }),
                JSON.stringify({ qubitData: [{ streamID: { custId: "x" } }] }), "[".repeat(5000)];
// A password grant costs 50 ms of the server and is throttled: a few are enough.
const COSTLY = new Set(["token", "legacyToken", "addUser"]);

// mulberry32
function random(seed) {
    let state = seed >>> 0;
    const next = () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
    return { chance: (share) => next() < share, below: (most) => Math.floor(next() * most),
             pick: (list) => list[Math.floor(next() * list.length)] };
}

function encode(query) {
    return query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
        .join("&");
}

class Fuzzer {
    constructor(server, dice) {
        this.server = server;
        this.dice = dice;
        const schemas = server.document.components.schemas;
        this.names = [...schemas.Metric.anyOf[0].enum, ...schemas.Dimension.anyOf[0].enum];
    }

    // A value that the schema allows.
    valid({ name, schema, example }) {
        const { dice } = this;
        if (schema.enum) return String(dice.pick(schema.enum));
        if (schema.type === "array") {
            return Array.from({ length: 1 + dice.below(4) }, () => dice.pick(this.names)).join(",");
        }
        if (schema.type === "integer") {
            const least = schema.minimum ?? 0;
            return String(least + dice.below(Math.min(schema.maximum ?? 1000, 1000) - least + 1));
        }
        return example ?? this.server.samples[name] ?? schema.default ?? "";
    }

    // Values that it does not allow; what a free text is, only the server can tell.
    invalid({ schema }) {
        if (schema.enum) return ["fortnight", "-7", "nul\u0000l"];
        if (schema.type === "integer") {
            const beyond = schema.maximum === undefined ? [] : [String(schema.maximum + 1)];
            return ["many", "1.5", "1e3", "9".repeat(40), String((schema.minimum ?? 0) - 1), ...beyond];
        }
        if (schema.type === "array") return ["no_such_name", "attempts,'"];
        return schema.maxLength && schema.maxLength < 8000 ? ["y".repeat(schema.maxLength + 1)] : [];
    }

    // Values of a member of a JSON body that its schema does not allow.
    invalidMember(schema) {
        if (schema.enum) return ["fortnight", 7, null].filter((each) => !schema.enum.includes(each));
        const types = [schema.type ?? []].flat();
        if (types.length === 0) return [];
        const wrong = { string: "text", boolean: true, integer: 1.5, object: { a: 1 }, array: [] };
        if (types.includes("number")) delete wrong.integer;
        const values = Object.entries(wrong).filter(([type]) => !types.includes(type) || type === "integer")
            .map(([, value]) => value);
        if (schema.maximum !== undefined) values.push(schema.maximum + 1);
        if (schema.minimum !== undefined) values.push(schema.minimum - 1);
        if (schema.maxLength !== undefined) values.push("y".repeat(schema.maxLength + 1));
        if (schema.maxItems !== undefined) values.push(new Array(schema.maxItems + 1).fill("z"));
        if (schema.items?.type === "string") values.push([7]);
        if (schema.items?.type === "integer") values.push(["7"]);
        return values;
    }

    validMember(schema) {
        const { dice } = this;
        if (schema.enum) return dice.pick(schema.enum);
        const type = dice.pick([schema.type ?? "string"].flat());
        const step = schema.multipleOf ?? 1;
        switch (type) {
            case "boolean": return dice.chance(0.5);
            case "number": return dice.below(100) / 4;
            case "integer": {
                const least = schema.minimum ?? 1;
                return least + step * dice.below(1 + Math.floor((Math.min(schema.maximum ?? 1e6, 1e6) - least) / step));
            }
            case "array": return dice.chance(0.5) ? [] : [schema.items?.type === "integer" ? 7 : dice.pick(this.names)];
            case "object": return {};
            case "null": return null;
        }
        return dice.chance(0.5) ? dice.pick(this.names) : dice.pick(NASTY.filter((each) => each.length < 100));
    }

    // The JSON body of an operation: its schema and an example to vary; null where it has none.
    bodyOf(operation) {
        const form = operation.requestBody?.content["application/json"];
        const schema = this.server.resolved(form?.schema);
        return schema?.properties && form.example ? { schema, example: form.example } : null;
    }

    // The least that the operation takes, as pairs.
    base(operation) {
        return this.query(operation)
            .filter((each) => each.fixed || each.required || ["period", "metrics"].includes(each.name))
            .map((each) => [each.name, String(Array.isArray(each.example) ? each.example.join(",")
                                              : each.example ?? this.valid(each))]);
    }

    query(operation) {
        return (operation.parameters ?? []).filter((each) => each.in === "query" && !each.deprecated);
    }

    with(operation, name, value) {
        return [...this.base(operation).filter(([known]) => known !== name), [name, value]];
    }
}

// Each parameter alone: typed values that do not fit are 400 and name the parameter.
async function singleFaults(check, server, fuzzer, note) {
    for (const operation of server.forms) {
        // One whose variants come after it has no table of its own.
        if (operation.security.length === 0 || operation.method !== "get" ||
            (operation["x-variants"] && !operation.parameters.some((each) => each.fixed))) continue;
        const broken = [];
        const expect = async (name, value, near = "") => {
            const query = encode(fuzzer.with(operation, name, value));
            const answer = await note(operation, { query });
            const problem = answer.status === 400 ? JSON.parse(answer.bytes.toString()) : {};
            if (problem.parameter !== name || !problem.expected?.includes(near)) {
                broken.push(`${query} → ${answer.status} ${answer.bytes.toString().slice(0, 200)}`);
            }
        };
        for (const parameter of fuzzer.query(operation)) {
            if (parameter.fixed) continue;
            for (const value of fuzzer.invalid(parameter)) await expect(parameter.name, value);
        }
        await expect("no_such_parameter", "1");
        for (const { name } of fuzzer.query(operation)) {
            if (name.length >= 5) await expect(name.slice(0, 2) + name.slice(3), "1", `"${name}"`);
        }
        check(`${operation.operationId}: a wrong parameter is 400 and is named`, broken.length === 0,
              broken.slice(0, 3).join(" | "));
        const stranger = await note(operation, { query: "no_such_parameter=1", credential: false });
        check(`${operation.operationId}: a stranger learns nothing but 401`, stranger.status === 401,
              String(stranger.status));
    }
}

// Each member of a body alone.
async function bodyFaults(check, server, fuzzer, note) {
    for (const operation of server.operations) {
        const body = fuzzer.bodyOf(operation);
        const mine = (operation.parameters ?? []).every((each) => each.in !== "path" || each.name === "customerId");
        if (!body || !mine || operation.security.length === 0) continue;
        const broken = [];
        const expect = async (name, value) => {
            const sent = JSON.stringify(value);
            const answer = await note(operation, { body: sent, contentType: "application/json" });
            const problem = answer.status === 400 ? JSON.parse(answer.bytes.toString()) : {};
            if (problem.parameter !== name || !problem.expected) {
                broken.push(`${name}: ${sent.slice(0, 200)} → ${answer.status} ${answer.bytes.toString().slice(0, 200)}`);
            }
        };
        for (const [name, schema] of Object.entries(body.schema.properties)) {
            for (const value of fuzzer.invalidMember(schema)) {
                await expect(name, { ...body.example, [name]: value });
            }
        }
        for (const name of body.schema.required ?? []) {
            const { [name]: dropped, ...rest } = body.example;
            await expect(name, rest);
        }
        await expect("no_such_member", { ...body.example, no_such_member: 1 });
        check(`${operation.operationId}: a wrong member of the body is 400 and is named`, broken.length === 0,
              broken.slice(0, 4).join(" | "));
    }
}

function anyRequest(operation, fuzzer, dice) {
    const query = dice.chance(0.8) ? fuzzer.base(operation) : [];
    for (const parameter of fuzzer.query(operation)) {
        if (parameter.fixed || !dice.chance(0.25)) continue;
        query.push([parameter.name, dice.chance(0.6) ? fuzzer.valid(parameter) : dice.pick(NASTY)]);
    }
    const unique = dice.chance(0.95) ? [...new Map(query)] : query;
    const path = {};
    for (const parameter of (operation.parameters ?? []).filter((each) => each.in === "path")) {
        if (dice.chance(0.1)) path[parameter.name] = dice.pick(NASTY.filter((each) => each !== ""));
        else if (parameter.name !== "customerId") path[parameter.name] = String(parameter.example ?? "x");
    }
    const request = { query: encode(unique), path, credential: dice.chance(0.95) };
    if (operation.method !== "get") {
        const types = Object.keys(operation.requestBody?.content ?? { "text/plain": {} });
        request.contentType = dice.pick([...types, "application/json", "text/html"]);
        request.body = dice.pick(BODIES);
        const body = fuzzer.bodyOf(operation);
        if (body && dice.chance(0.6)) {
            const members = { ...body.example };
            for (const [name, schema] of Object.entries(body.schema.properties)) {
                if (dice.chance(0.2)) members[name] = fuzzer.validMember(schema);
                if (dice.chance(0.05)) members[name] = dice.pick(NASTY);
            }
            request.body = JSON.stringify(members);
        }
    }
    return request;
}

export async function fuzz(check, server, { seed, seconds }) {
    console.log(`seed ${seed}, ${seconds} s`);
    const dice = random(seed);
    const fuzzer = new Fuzzer(server, dice);
    const faults = new Map(server.forms.map((each) => [each.operationId, []]));
    const counts = new Map();
    const note = async (operation, request) => {
        counts.set(operation.operationId, (counts.get(operation.operationId) ?? 0) + 1);
        const answer = await server.send(operation, request);
        const fault = server.fault(operation, answer);
        const list = faults.get(operation.operationId);
        if (fault && list.length < 20) list.push(`${JSON.stringify(request).slice(0, 300)} → ${fault}`);
        return answer;
    };
    await singleFaults(check, server, fuzzer, note);
    await bodyFaults(check, server, fuzzer, note);
    const until = Date.now() + seconds * 1000;
    for (let round = 0; round === 0 || Date.now() < until; round += 1) {
        for (const operation of server.forms) {
            if (round > 0 && COSTLY.has(operation.operationId) && dice.chance(0.9)) continue;
            await note(operation, anyRequest(operation, fuzzer, dice));
        }
    }
    for (const [id, list] of faults) {
        check(`${id}: ${counts.get(id) ?? 0} requests, each answered as documented`,
              list.length === 0 && counts.get(id) > 0,
              `${list.length} faults, seed ${seed}: ${list.slice(0, 2).join(" | ")}`);
    }
}
