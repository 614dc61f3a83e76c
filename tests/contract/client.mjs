// Clients generated from the document: TypeScript that compiles and refuses what the document does not
// have, and Python types that read what the server really answers.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import openapiTS, { astToString } from "openapi-typescript";
import { FetchingJSONSchemaStore, InputData, JSONSchemaInput, quicktype } from "quicktype-core";
import ts from "typescript";

const USE = `
import type { components, operations } from "./schema";
type Answer = operations["metricQuery"]["responses"][200]["content"]["application/json"];
type Query = operations["metricQuery"]["parameters"]["query"];
const query: Query = { metrics: ["attempts"], period: "last=24h", granularity: "hour" };
const attempts = (answer: Answer): unknown => answer.response[0]?.["attempts"];
const problem = (each: components["schemas"]["Problem"]): string => each.title;
const detail = (each: components["schemas"]["SessionDetail"]): (string | number | undefined)[] =>
    [each.session.country, each.session.tags["plan"], each.ads[0]?.adposition, each.events[0]?.severity,
     each.slices[0]?.playing_ms, each.stalls[0]?.from_s, each.scorebreakdown.startup];
console.log(query, attempts, problem, detail);
`;
const MISUSE = `
import type { components, operations } from "./schema";
type Query = operations["metricQuery"]["parameters"]["query"];
export const query: Query = { metrics: ["attempts"], granularity: "fortnight" };
export const ad = (each: components["schemas"]["SessionDetail"]) => each.ads[0]?.adpositon;
`;

// The errors of each file.
function compile(folder, names) {
    const program = ts.createProgram(names.map((name) => path.join(folder, name)), {
        strict: true, skipLibCheck: true, noEmit: true, target: ts.ScriptTarget.ES2022, types: [],
        module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
        lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
    });
    const all = ts.getPreEmitDiagnostics(program);
    return names.map((name) => all.filter((each) => path.basename(each.file?.fileName ?? name) === name ||
            path.basename(each.file.fileName) === "schema.ts")
        .map((each) => ts.flattenDiagnosticMessageText(each.messageText, " ")));
}

// The answers that the Python types are tried on.
const ANSWERS = {
    Envelope: ["metricQuery", "metrics=attempts,latency&aggby=cdn&period=last%3D24h"],
    AlertRulePage: ["listAlertRules", ""],
    Problem: ["metricQuery", "metrics=atempts&period=last%3D24h"],
    SessionDetail: ["session", "sessionid="],
};
const READ = `
import json, sys
import schema
for name, text in json.load(sys.stdin).items():
    given = json.loads(text)
    read = getattr(schema, name)
    again = read.from_dict(given).to_dict()
    for key in given:
        assert key in again, (name, key)
    try:
        read.from_dict({})
        raise SystemExit(name + " reads an empty object")
    except (AssertionError, KeyError):
        pass
print("read", len(given))
`;

async function pythonTypes(check, server, folder) {
    const input = new JSONSchemaInput(new FetchingJSONSchemaStore());
    // Only the components: what they refer to is in the same text.
    const text = JSON.stringify({ components: server.document.components });
    for (const name of Object.keys(ANSWERS)) {
        await input.addSource({ name, uris: [`document#/components/schemas/${name}`], schema: text });
    }
    const data = new InputData();
    data.addInput(input);
    const { lines } = await quicktype({ inputData: data, lang: "python",
                                        rendererOptions: { "python-version": "3.7" } });
    fs.writeFileSync(path.join(folder, "schema.py"), lines.join("\n"));
    fs.writeFileSync(path.join(folder, "read.py"), READ);
    const answers = {};
    for (const [name, [id, query]] of Object.entries(ANSWERS)) {
        const operation = server.operations.find((each) => each.operationId === id);
        const of = query.endsWith("sessionid=") ? encodeURIComponent(server.samples.sessionid) : "";
        answers[name] = (await server.send(operation, { query: query + of })).bytes.toString();
    }
    let output = "";
    try {
        output = execFileSync("python3", [path.join(folder, "read.py")],
                              { input: JSON.stringify(answers), encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
    } catch (error) {
        output = error.stderr ?? error.message;
    }
    check("generated Python types read the server's answers", output.startsWith("read "), output.slice(-500));
}

export async function compileClient(check, server) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "playhead-client-"));
    try {
        const source = astToString(await openapiTS(structuredClone(server.document)));
        fs.writeFileSync(path.join(folder, "schema.ts"), source);
        fs.writeFileSync(path.join(folder, "use.ts"), USE);
        fs.writeFileSync(path.join(folder, "misuse.ts"), MISUSE);
        const [errors, refused] = compile(folder, ["use.ts", "misuse.ts"]);
        check("a generated TypeScript client compiles", errors.length === 0, errors.join("; "));
        for (const wrong of ["fortnight", "adpositon"]) {
            check(`it refuses what the document does not have: ${wrong}`,
                  refused.some((each) => each.includes(wrong)), refused.join("; "));
        }
        await pythonTypes(check, server, folder);
        for (const { operationId } of server.operations) {
            if (source.includes(`    ${operationId}: {`)) continue;
            check(`the client has ${operationId}`, false);
        }
    } finally {
        fs.rmSync(folder, { recursive: true, force: true });
    }
}
