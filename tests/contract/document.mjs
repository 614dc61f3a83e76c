// The document itself: valid OpenAPI 3.1, complete, of one piece with the dictionary.
import { Validator } from "@seriousme/openapi-schema-validator";

export async function checkDocument(check, server) {
    const { document } = server;
    const validator = new Validator();
    const result = await validator.validate(structuredClone(document));
    check("the document is valid OpenAPI 3.1", result.valid && validator.version === "3.1",
          JSON.stringify(result.errors ?? validator.version).slice(0, 500));
    check("every route is documented", document["x-undocumented"].length === 0,
          document["x-undocumented"].join(", "));
    const loose = server.operations.flatMap((each) => Object.entries(each.responses)
        .flatMap(([status, { content }]) => Object.entries(content ?? {})
            .filter(([type, { schema }]) => /json$/.test(type) && !/ndjson/.test(type) && !schema)
            .map(([type]) => `${each.operationId} ${status} ${type}`)));
    check("every JSON answer has a schema", loose.length === 0, loose.join(", "));

    const dictionary = server.operations.find((each) => each.operationId === "dictionary");
    const answer = await server.send(dictionary);
    const known = JSON.parse(answer.bytes.toString());
    for (const [schema, entries] of [["Metric", known.metrics], ["Dimension", known.dimensions]]) {
        const names = document.components.schemas[schema].anyOf[0].enum;
        const wanted = entries.flatMap((each) => [each.key, ...(each.aliases ?? [])]);
        check(`${schema} has the names of the dictionary`,
              JSON.stringify([...names].sort()) === JSON.stringify([...wanted].sort()),
              `${names.length} and ${wanted.length}`);
    }
    for (const operation of server.forms) {
        // What cannot be asked for without a body that is made anew each time has no example.
        const may = operation.method !== "get";
        check(`${operation.operationId} has an example or is not a GET`,
              may || operation["x-examples"]?.length > 0 || operation.tags.includes("ingest"));
    }
}
