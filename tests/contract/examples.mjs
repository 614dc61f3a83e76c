// Every example in the document, sent as it stands.
export async function runExamples(check, server) {
    for (const operation of server.operations) {
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
