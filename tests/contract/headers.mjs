// Headers that the document lists do what it says, and no operation knows one in silence.
export async function checkHeaders(check, server) {
    for (const operation of server.operations) {
        const example = operation["x-examples"]?.find((each) => each.status === 200);
        if (!example || operation.method !== "get") continue;
        const id = operation.operationId;
        const listed = server.headersOf(operation);
        const first = await server.send(operation, example);
        check(`${id}: an ETag if and only if If-None-Match is listed`,
              listed.includes("If-None-Match") === (first.etag !== ""), `${listed}; ${first.status} ${first.etag}`);
        if (first.etag !== "") await checkKnown(check, server, operation, example, first);
        // A coding is only worth it for long answers, but what may have one says so.
        if (/accept-encoding/i.test(first.vary)) {
            check(`${id}: lists Accept-Encoding`, listed.includes("Accept-Encoding"));
            const coded = await server.send(operation, { ...example, header: { "Accept-Encoding": "gzip" } });
            const plain = await server.send(operation, { ...example, header: { "Accept-Encoding": "identity" } });
            check(`${id}: and has it`, coded.coding === "gzip" && plain.coding === "", `${coded.coding}, ${plain.coding}`);
        }
    }
    const conditional = server.operations.filter((each) => server.headersOf(each).includes("If-None-Match"));
    check("some operations know If-None-Match", conditional.length > 5, String(conditional.length));
}

async function checkKnown(check, server, operation, example, first) {
    let known = first, again;
    // A period that ends now may have gained or lost a row: then it has another tag.
    for (let tries = 0; tries < 3; tries += 1) {
        again = await server.send(operation, { ...example, header: { "If-None-Match": known.etag } });
        if (again.status === 304 || again.etag === known.etag) break;
        known = again;
    }
    const name = operation.operationId;
    check(`${name}: 304 for the answer that is known`, again.status === 304 && again.bytes.length === 0 &&
          again.etag === known.etag && server.fault(operation, again) === "", `${again.status} ${again.etag} ${known.etag}`);
    const other = await server.send(operation, { ...example, header: { "If-None-Match": '"another"' } });
    check(`${name}: 200 for one that is not`, other.status === 200 && other.bytes.length > 0, String(other.status));
}
