// A client generated from the document compiles, and refuses what the document does not have.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const USE = `
import type { components, operations } from "./schema";
type Answer = operations["metricQuery"]["responses"][200]["content"]["application/json"];
type Query = operations["metricQuery"]["parameters"]["query"];
const query: Query = { metrics: ["attempts"], period: "last=24h", granularity: "hour" };
const attempts = (answer: Answer): unknown => answer.response[0]?.["attempts"];
const problem = (each: components["schemas"]["Problem"]): string => each.title;
console.log(query, attempts, problem);
`;
const MISUSE = `
import type { operations } from "./schema";
type Query = operations["metricQuery"]["parameters"]["query"];
export const query: Query = { metrics: ["attempts"], granularity: "fortnight" };
`;

function errorsOf(folder, name) {
    const program = ts.createProgram([path.join(folder, name)], {
        strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, types: [],
        module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
        lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
    });
    return ts.getPreEmitDiagnostics(program)
        .map((each) => ts.flattenDiagnosticMessageText(each.messageText, " "));
}

export async function compileClient(check, server) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "playhead-client-"));
    try {
        const source = astToString(await openapiTS(structuredClone(server.document)));
        fs.writeFileSync(path.join(folder, "schema.ts"), source);
        fs.writeFileSync(path.join(folder, "use.ts"), USE);
        fs.writeFileSync(path.join(folder, "misuse.ts"), MISUSE);
        const errors = errorsOf(folder, "use.ts");
        check("a generated TypeScript client compiles", errors.length === 0, errors.join("; "));
        const refused = errorsOf(folder, "misuse.ts");
        check("it refuses a value that the document does not have",
              refused.some((each) => each.includes("fortnight")), refused.join("; "));
        for (const { operationId } of server.operations) {
            if (source.includes(`    ${operationId}: {`)) continue;
            check(`the client has ${operationId}`, false);
        }
    } finally {
        fs.rmSync(folder, { recursive: true, force: true });
    }
}
