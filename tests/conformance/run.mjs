// Random CMCD through their encoder, then through both decoders; keys and values must agree.
//   run.mjs [COUNT] [SEED]
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { decodeCmcd, encodeCmcd, fromCmcdHeaders, fromCmcdQuery, toCmcdHeaders, toCmcdQuery } from '@svta/cml-cmcd';
import { SfItem, SfToken } from '@svta/cml-structured-field-values';

const OURS = path.resolve(import.meta.dirname, '../../build/release/bin/cmcd_decode');
const count = Number(process.argv[2] ?? 6000);
const seed = Number(process.argv[3] ?? 1);

// mulberry32: the same seed gives the same data everywhere.
let state = seed >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}
const whole = (low, high) => low + Math.floor(random() * (high - low + 1));
const pick = (list) => list[whole(0, list.length - 1)];
const chance = (share) => random() < share;

// Printable ASCII with everything that has to be escaped or that separates something.
const LETTERS = [...'abcXYZ019 _-.~/:%&=,;()[]{}"\\\'?#@!$*+<>^`|'];
const text = (most) => Array.from({ length: whole(1, most) }, () => pick(LETTERS)).join('');

const STATES = ['', 's', 'p', 'k', 'r', 'a', 'w', 'e', 'f', 'q', 'd'];
const EVENTS = ['ps', 't', 'rr', 'bc', 'e', 'c', 'b', 'pr', 'm', 'um', 'pe', 'pc', 'abs', 'abe', 'as', 'ae', 'sk', 'h', 'ce'];
const FORMATS = { h: 'HLS', d: 'DASH', s: 'Smooth', e: 'HESP', o: 'Other' };

function customKeys(data) {
  for (let number = whole(0, 3); number > 0; number -= 1) {
    data[`com.example${whole(1, 9)}-${pick(['a', 'key', 'x_y'])}`] =
      pick([text(20), whole(0, 99999), true, Math.round(random() * 1e4) / 1000]);
  }
}

function shared(data) {
  const some = { sid: () => text(40), cid: () => text(60), sf: () => pick(Object.keys(FORMATS)),
    st: () => pick(['v', 'l']), ot: () => pick(['m', 'a', 'v', 'av', 'i', 'c', 'tt', 'k', 'o']),
    d: () => whole(1, 20000), su: () => true, bs: () => true,
    pr: () => pick([0.5, 1.08, 1.25, 1.5, 2]), dl: () => whole(1, 300) * 100,
    rtp: () => whole(1, 300) * 100 };
  for (const [key, make] of Object.entries(some)) if (chance(0.6)) data[key] = make();
  customKeys(data);
  return data;
}

function versionOne() {
  const data = shared({ v: 1 });
  for (const [key, low, high] of [['br', 1, 30000], ['bl', 0, 60000], ['mtp', 1, 300000], ['tb', 1, 30000]]) {
    if (chance(0.7)) data[key] = whole(low, high);
  }
  return data;
}

function rates() {
  const one = whole(1, 30000);
  return pick([() => [one], () => [new SfItem(one, { v: true }), new SfItem(whole(1, 640), { a: true })],
    () => [new SfItem(one, { av: true })]])();
}

function versionTwo(isEvent) {
  const data = shared({ v: 2 });
  if (chance(0.2)) data.st = 'll';
  for (const key of ['br', 'tb']) if (chance(0.6)) data[key] = rates();
  for (const key of ['bl', 'mtp', 'bsd', 'bsda', 'bsa']) if (chance(0.4)) data[key] = [whole(0, 90000)];
  for (const key of ['ltc', 'msd', 'dfa', 'pt']) if (chance(0.3)) data[key] = whole(0, 90000);
  if (chance(0.7)) data.sta = pick(STATES.slice(1));
  if (chance(0.7)) data.sn = whole(0, 1e6);
  for (const key of ['nr', 'bg']) if (chance(0.2)) data[key] = true;
  if (chance(0.3)) data.cdn = text(12);
  if (chance(0.3)) data.ec = Array.from({ length: whole(1, 3) }, () => text(10));
  if (!isEvent) return data;
  data.e = pick(EVENTS);
  data.ts = whole(1795000000000, 1795420000000);
  if (data.e === 'ps') data.sta = pick(STATES.slice(1));
  if (data.e === 'ce') data.cen = text(20);
  if (data.e === 'h' || chance(0.2)) data.h = text(20);
  if (data.e === 'rr') {
    data.url = `https://cdn.test/${text(30)}`;
    data.rc = pick([200, 206, 304, 404, 500, 0]);
    data.ttfb = whole(0, 9000);
    data.ttlb = whole(0, 20000);
  }
  return data;
}

// What their decoded object means in our terms, written down apart from our decoder.
const plain = (value) => (value instanceof SfToken ? value.description : value);
const items = (value) => (Array.isArray(value) ? value : [value]).map((entry) =>
  (entry instanceof SfItem ? { value: plain(entry.value), type: Object.keys(entry.params ?? {})[0] }
    : { value: plain(entry) }));
function whole_rate(value) {
  const all = items(value);
  const both = all.find((entry) => entry.type === 'av');
  if (both) return both.value;
  const typed = all.filter((entry) => entry.type === 'a' || entry.type === 'v');
  return (typed.length > 0 ? typed : all).reduce((sum, entry) => sum + entry.value, 0);
}

function expected(theirs, isEvent) {
  const two = theirs.v === 2;
  const get = (key) => (theirs[key] === undefined ? undefined : plain(theirs[key]));
  const out = { sid: get('sid') ?? 'path', e: isEvent ? get('e') : '', measures: {}, tags: {} };
  out.state = two || isEvent ? STATES.indexOf(get('sta') ?? '') : 0;
  out.ts = (two && get('ts')) || 0;
  out.sn = two ? get('sn') ?? -1 : -1;
  out.live = { v: 0, l: 1, ll: 1 }[get('st')] ?? -1;
  out.flag = Boolean(get(out.e === 'b' ? 'bg' : 'bs'));
  out.nr = Boolean(get('nr'));
  out.su = Boolean(get('su'));
  out.ot = { av: 'b', tt: 't' }[get('ot')] ?? get('ot') ?? '';
  if (get('cid') !== undefined) out.assetid = get('cid');
  if (get('sf') !== undefined) out.streamformat = FORMATS[get('sf')];
  if (get('cdn') !== undefined) out.cdn = get('cdn');
  if (get('h') !== undefined) out.sourcehostname = get('h');
  else if (get('url') !== undefined) out.sourcehostname = 'cdn.test';
  if (get('pt') !== undefined) out.position = get('pt') / 1000;
  out.code = out.e === 'e' && theirs.ec ? plain(theirs.ec[0]) : '';
  out.text = out.e === 'ce' ? get('cen') : out.e === 'e' ? theirs.ec?.map(plain).join(' ') ?? '' : get('url') ?? '';
  for (const key of ['bl', 'mtp', 'ltc', 'msd', 'bsd', 'bsda', 'bsa', 'pr', 'd', 'dfa']) {
    if (theirs[key] !== undefined) out.measures[key] = items(theirs[key])[0].value;
  }
  if (theirs.tb !== undefined) out.measures.topbitrate = whole_rate(theirs.tb);
  if (theirs.br !== undefined) out.measures.bitrate = whole_rate(theirs.br);
  const isObject = !isEvent || out.e === 'rr';
  const failed = out.e === 'rr' && (theirs.rc < 200 || theirs.rc > 299);
  if (isObject && theirs.br !== undefined && theirs.d !== undefined && !failed) {
    out.measures.bytes = (whole_rate(theirs.br) * theirs.d) / 8;
  }
  if (out.e === 'rr') for (const key of ['rc', 'ttfb', 'ttlb']) out.measures[key] = get(key);
  for (const [key, value] of Object.entries(theirs)) {
    if (key.includes('-')) out.tags[key] = tagText(plain(value));
  }
  return out;
}
const tagText = (value) => (value === true ? 'true' : String(value));

function encoded() {
  const kind = pick(['event', 'query', 'headers']);
  const version = kind === 'event' ? 2 : pick([1, 2]);
  const data = version === 1 ? versionOne() : versionTwo(kind === 'event');
  const options = { version, reportingMode: kind === 'event' ? 'event' : 'request' };
  if (kind === 'event') {
    const body = encodeCmcd(data, options);
    return { kind, line: `event\t${body}`, theirs: decodeCmcd(body) };
  }
  if (kind === 'query') {
    const query = toCmcdQuery(data, options);
    return { kind, line: `query\t${query}`, theirs: fromCmcdQuery(query) };
  }
  const headers = toCmcdHeaders(data, options);
  const values = ['Request', 'Object', 'Status', 'Session'].map((name) => headers[`CMCD-${name}`] ?? '');
  return { kind, line: ['headers', ...values].join('\t'), theirs: fromCmcdHeaders(headers) };
}

function differences(ours, wanted) {
  const found = [];
  const compare = (where, actual, expectation) => {
    for (const key of new Set([...Object.keys(actual), ...Object.keys(expectation)])) {
      const a = actual[key];
      const b = expectation[key];
      if (typeof b === 'object' && b !== null) compare(`${where}${key}.`, a ?? {}, b);
      else if (typeof a === 'number' && typeof b === 'number' ? Math.abs(a - b) > 1e-6 * Math.max(1, Math.abs(b)) : a !== b) {
        found.push(`${where}${key}: ours ${JSON.stringify(a)}, theirs ${JSON.stringify(b)}`);
      }
    }
  };
  compare('', ours, wanted);
  return found;
}

const cases = Array.from({ length: count }, encoded).filter((entry) => Object.keys(entry.theirs).length > 0);
console.log(`${cases.length} records, seed ${seed}`);
const printed = execFileSync(OURS, { input: cases.map((entry) => `${entry.line}\n`).join(''),
  maxBuffer: 1 << 28, encoding: 'utf8' }).trimEnd().split('\n');
let passed = 0;
let failed = 0;
for (const [index, entry] of cases.entries()) {
  const ours = JSON.parse(printed[index] ?? 'null');
  const found = ours ? differences(ours, expected(entry.theirs, entry.kind === 'event')) : ['ours decodes nothing'];
  if (found.length === 0) {
    passed += 1;
  } else {
    failed += 1;
    if (failed <= 10) console.log(`FAIL ${entry.line}\n     ${found.join('\n     ')}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
