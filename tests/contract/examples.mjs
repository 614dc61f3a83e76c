// Every example in the document, sent as it stands; and the example of every body is one that its
// schema allows.
export async function runExamples(check, server) {
    for (const operation of server.operations) {
        for (const [type, { schema, example }] of Object.entries(operation.requestBody?.content ?? {})) {
            if (example === undefined) continue;
            const validate = server.validator(schema);
            check(`${operation.operationId}: the example of ${type} fits its schema`, validate(example),
                  server.ajv.errorsText(validate.errors));
        }
    }
    for (const operation of server.forms) {
        for (const example of operation["x-examples"] ?? []) {
            const contentType = Object.keys(operation.requestBody?.content ?? {})[0];
            const answer = await server.send(operation, { ...example, contentType });
            const fault = server.fault(operation, answer) ||
                (answer.status === example.status ? "" : `${answer.status} ${answer.bytes.toString().slice(0, 300)}`);
            check(`example ${operation.operationId}: ${example.name}`, fault === "",
                  `${example.query} → ${fault}`);
        }
    }
    await runNamedQueries(check, server);
    await runSessions(check, server);
}

// Every variant on what the server has: it answers rows, and they are as documented.
async function runNamedQueries(check, server) {
    for (const operation of server.forms.filter((each) => each.parameters?.some(({ fixed }) => fixed))) {
        const query = new URLSearchParams({ period: "last=24h", planlevel: "6831" });
        for (const { name, required, example, fixed } of operation.parameters) {
            if (fixed) query.set(name, example);
            else if (required && !query.has(name) && name !== "customerId") query.set(name, server.samples[name] ?? example);
        }
        if (["topmovers", "rootcause"].includes(query.get("queryname"))) {
            // Few sessions, of which more began in these hours than in those before.
            for (const [name, value] of [["period", "last=5h"], ["metrics", "attempts"], ["minsessions", "1"]]) {
                query.set(name, value);
            }
        }
        if (query.get("queryname") === "rootcause") query.set("minexplained", "1");
        if (query.get("queryname") === "realtime") query.delete("period");
        const answer = await server.send(operation, { query: `${query}` });
        const rows = answer.status === 200 ? JSON.parse(answer.bytes.toString()).response.length : 0;
        const fault = server.fault(operation, answer);
        check(`${operation.operationId} on real data: ${rows} rows`, fault === "" && rows > 0,
              `${query} → ${fault || answer.bytes.toString().slice(0, 200)}`);
    }
}

// Every session of the last hours in detail: each as documented, and no list of it empty in all of
// them, so that the schema of its items has been tried.
async function runSessions(check, server) {
    const operation = (id) => server.operations.find((each) => each.operationId === id);
    const list = await server.send(operation("listSessions"), {
        query: "metrics=attempts&period=last%3D24h&allstatus=1&limit=200" });
    const ids = JSON.parse(list.bytes.toString()).response.map((each) => each.sessionid);
    const faults = [], lists = new Map();
    for (const id of ids) {
        const answer = await server.send(operation("session"), { query: `sessionid=${encodeURIComponent(id)}` });
        // Not "or an envelope", as the operation has it.
        const fault = answer.status === 200 ? server.faultOf("SessionDetail", answer) : String(answer.status);
        if (fault !== "") faults.push(`${id}: ${fault}`);
        for (const [name, value] of Object.entries(JSON.parse(answer.bytes.toString()))) {
            if (Array.isArray(value)) lists.set(name, (lists.get(name) ?? 0) + value.length);
        }
    }
    check(`${ids.length} sessions in detail`, ids.length > 0 && faults.length === 0, faults.slice(0, 2).join(" | "));
    for (const [name, items] of lists) check(`${name} of these sessions: ${items}`, items > 0);
}
