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
}
