// The server under test: sends a request of an operation and judges the answer by the document.
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const TEXT_MAX = 300;

export class Server {
    constructor({ url, customer, key, "admin-key": adminKey }, document) {
        Object.assign(this, { url, customer, key, adminKey, document });
        this.ajv = new Ajv2020({ strict: false, allErrors: true });
        addFormats(this.ajv);
        this.ajv.addSchema(document, "document");
        this.validators = new Map();
        this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
            Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })));
        // Each variant stands for itself: an operation with a table and a schema of its own.
        this.forms = this.operations.flatMap((operation) => this.variantsOf(operation));
    }

    variantsOf(operation) {
        if (!operation["x-variants"]) return [operation];
        const { by, of } = operation["x-variants"];
        const inPath = operation.parameters.filter((each) => each.in === "path");
        const asks = (example, value) => new URLSearchParams(example.query).get(by) === value;
        const variants = Object.entries(of).map(([value, variant]) => ({
            ...operation,
            operationId: `${operation.operationId} ${value}`,
            parameters: [...inPath, ...variant.parameters.map((each) =>
                each.name === by ? { ...each, example: value, fixed: true } : each)],
            responses: { ...operation.responses, 200: { ...operation.responses[200],
                content: { "application/json": { schema: variant.schema } } } },
            "x-examples": operation["x-examples"].filter((each) => asks(each, value)),
        }));
        const rest = operation["x-examples"].filter((each) => !Object.keys(of).some((value) => asks(each, value)));
        return [{ ...operation, "x-examples": rest }, ...variants];
    }

    // Ids that the server has, by the name of the parameter that takes them.
    async loadSamples() {
        const operation = this.operations.find((each) => each.operationId === "listSessions");
        const answer = await this.send(operation, { query: `${new URLSearchParams({
            metrics: "sessionid,subscriberid,assetid,attempts", limit: "1", period: "last=24h",
            filter: "[subscriberid!=null][assetid!=null]", allstatus: "1" })}` });
        const [{ sessionid, subscriberid, assetid }] = JSON.parse(answer.bytes.toString()).response;
        this.samples = { sessionid, subscriberid, assetid };
    }

    // The headers that an operation lists.
    headersOf(operation) {
        return (operation.parameters ?? []).map(({ $ref }) => $ref?.replace("#/components/parameters/", ""))
            .filter((name) => name).map((name) => this.document.components.parameters[name].name);
    }

    // The schema itself, where it points into the document.
    resolved(schema) {
        const name = schema?.$ref?.replace("#/components/schemas/", "");
        return name ? this.document.components.schemas[name] : schema;
    }

    // A validator of a schema that may point into the document.
    validator(schema) {
        const text = JSON.stringify(schema).replaceAll('"#/', '"document#/');
        if (!this.validators.has(text)) this.validators.set(text, this.ajv.compile(JSON.parse(text)));
        return this.validators.get(text);
    }

    // `query` is an encoded text, `path` the values of path parameters.
    async send(operation, { query = "", path = {}, body, contentType, credential = true, header = {} } = {}) {
        const target = operation.path.replace(/\{(\w+)\}/g, (_, name) =>
            encodeURIComponent(path[name] ?? (name === "customerId" ? this.customer
                : operation.parameters.find((each) => each.name === name)?.example ?? name)));
        const headers = { ...header };
        if (credential && operation.security.length > 0) {
            headers["X-API-Key"] = operation["x-permission"] === "read" ? this.key : this.adminKey;
        }
        if (body !== undefined) headers["Content-Type"] = contentType;
        const response = await fetch(`${this.url}${target}${query ? `?${query}` : ""}`, {
            method: operation.method.toUpperCase(), headers, body, redirect: "manual",
            signal: AbortSignal.timeout(60_000),
        });
        const bytes = Buffer.from(await response.arrayBuffer());
        const read = (name) => response.headers.get(name) ?? "";
        return { status: response.status, bytes, type: read("content-type").split(";")[0],
                 etag: read("etag"), vary: read("vary"), coding: read("content-encoding") };
    }

    // Each line is a row, without what only an envelope has.
    faultOfLines(answer) {
        const row = this.document.components.schemas.Row;
        const validate = this.validator({ ...row, required: [] });
        for (const line of answer.bytes.toString().split("\n").filter((each) => each !== "")) {
            try {
                if (!validate(JSON.parse(line))) return `${this.ajv.errorsText(validate.errors)}: ${line}`;
            } catch (error) {
                return `${error.message}: ${line}`;
            }
        }
        return "";
    }

    // Why a JSON answer is not of this component; "" when it is.
    faultOf(component, answer) {
        const validate = this.validator({ $ref: `#/components/schemas/${component}` });
        return validate(JSON.parse(answer.bytes.toString())) ? "" : this.ajv.errorsText(validate.errors);
    }

    // Why the answer is not what the document promises; "" when it is.
    fault(operation, answer) {
        const seen = `${answer.status} ${answer.type} ${answer.bytes.toString().slice(0, TEXT_MAX)}`;
        const promised = operation.responses[answer.status];
        if (!promised) return `status is not documented: ${seen}`;
        if (answer.status >= 500 && answer.status !== 503 && answer.status !== 504) return seen;
        if (answer.etag !== "" && !promised.headers?.ETag) return `its ETag is not documented: ${seen}`;
        if (!promised.content) return answer.bytes.length === 0 ? "" : `has a body: ${seen}`;
        const form = promised.content[answer.type];
        if (!form) return `content type is not documented: ${seen}`;
        if (/ndjson/.test(answer.type)) return this.faultOfLines(answer);
        if (!form.schema || !/json$/.test(answer.type)) return "";
        let value;
        try {
            value = JSON.parse(answer.bytes.toString());
        } catch (error) {
            return `${error.message}: ${seen}`;
        }
        if (answer.type === "application/problem+json" && value.status !== answer.status) {
            return `the problem's status differs: ${seen}`;
        }
        const validate = this.validator(form.schema);
        return validate(value) ? "" : `${this.ajv.errorsText(validate.errors)}: ${seen}`;
    }
}
