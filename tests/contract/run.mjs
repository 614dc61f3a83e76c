// Holds a running server to its own OpenAPI document.
//   node run.mjs --url http://127.0.0.1:8080 --customer 900100200 --key <read> --admin-key <admin>
//                [--seed N] [--seconds 30] [--only checkViews]
// Ends with `N passed, N failed`. Loopback only.
import { parseArgs } from "node:util";
import { checkDocument } from "./document.mjs";
import { runExamples } from "./examples.mjs";
import { compileClient } from "./client.mjs";
import { fuzz } from "./fuzz.mjs";
import { checkHeaders } from "./headers.mjs";
import { Server } from "./server.mjs";
import { checkViews } from "./views.mjs";

const { values } = parseArgs({
    options: {
        url: { type: "string" },
        customer: { type: "string" },
        key: { type: "string" },
        "admin-key": { type: "string" },
        seed: { type: "string", default: String(Date.now() % 1_000_000_007) },
        seconds: { type: "string", default: "30" },
        only: { type: "string" },
    },
});
if (!/^http:\/\/127\.0\.0\.1:\d+$/.test(values.url ?? "")) throw new Error("--url is not loopback");

const tally = { passed: 0, failed: 0 };
function check(name, good, detail = "") {
    tally[good ? "passed" : "failed"] += 1;
    console.log(`${good ? "ok  " : "FAIL"} ${name}${good ? "" : `: ${detail}`}`);
    return good;
}

const document = await (await fetch(`${values.url}/openapi.json`)).json();
const server = new Server(values, document);
await server.loadSamples();
for (const part of [checkDocument, runExamples, checkHeaders, compileClient, checkViews, fuzz]) {
    if (values.only && values.only !== part.name) continue;
    const begun = Date.now();
    try {
        await part(check, server, { seed: Number(values.seed), seconds: Number(values.seconds) });
    } catch (error) {
        check(part.name, false, error.stack);
    }
    console.log(`-- ${part.name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exit(tally.failed === 0 ? 0 : 1);
