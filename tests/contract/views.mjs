// Impossible combinations over the whole dictionary: each is a 422 that says where it would work, and
// there it does.
// What cannot be, as the dictionary tells, with the parameters that are left out where it works.
function impossible({ metrics, dimensions }, fitting) {
    const out = [];
    for (const { key, perad, pererror, concurrency, source } of metrics) {
        if (!perad && source !== "ad_views") out.push([{ metrics: key, aggby: "adid" }, ["aggby"]]);
        if (!pererror && source !== "ad_views") out.push([{ metrics: key, aggby: "errorphase" }, ["aggby"]]);
        if (!concurrency) out.push([{ metrics: key, concurrency: "1" }, ["concurrency"]]);
    }
    for (const { key, tables } of dimensions) {
        for (const view of ["ad", "live"]) {
            const table = view === "ad" ? "ad_views" : "slices";
            if (tables.includes(table) || key === "timestamp") continue;
            out.push([{ metrics: fitting[view], aggby: key, dimension: view }, []]);
        }
    }
    return out;
}

export async function checkViews(check, server) {
    const operation = (id) => server.operations.find((each) => each.operationId === id);
    const known = JSON.parse((await server.send(operation("dictionary"))).bytes.toString());
    // A metric that only the view has.
    const only = (table) => known.metrics.find((each) => each.source === table).key;
    const fitting = { ad: only("ad_views"), live: only("slices") };
    const send = (query) => server.send(operation("metricQuery"), {
        query: `${new URLSearchParams({ period: "last=1h", limit: "1", ...query })}` });
    const fault = async ([query, dropped]) => {
        const first = await send(query);
        const problem = first.status === 200 ? {} : JSON.parse(first.bytes.toString());
        const said = `${JSON.stringify(query)} → ${first.status} ${problem.detail}: ${problem.expected}`;
        if (first.status !== 422 || !problem.parameter) return said;
        const view = /dimension=(\w+)/.exec(problem.expected)?.[1];
        if (view === undefined) return /\/mm-apis\/error/.test(problem.expected) ? "" : `no view: ${said}`;
        const there = { ...query, dimension: view };
        for (const name of [...dropped, ...(/without/.test(problem.expected) ? ["aggby"] : [])]) delete there[name];
        // A dimension is known elsewhere, but for the metrics of that place.
        if (problem.parameter === "aggby") there.metrics = fitting[view] ?? "attempts";
        const second = await send(there);
        return second.status === 200 ? "" : `${said}; there: ${second.status} ${second.bytes.toString().slice(0, 200)}`;
    };
    const cases = impossible(known, fitting);
    const broken = [];
    for (let i = 0; i < cases.length; i += 8) {
        broken.push(...(await Promise.all(cases.slice(i, i + 8).map(fault))).filter((each) => each !== ""));
    }
    check(`${cases.length} impossible combinations are 422 and name a view where they work`,
          broken.length === 0 && cases.length > 50, `${broken.length}: ${broken.slice(0, 5).join(" | ")}`);
}
