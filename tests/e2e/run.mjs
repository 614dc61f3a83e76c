// Plays, stalls, pauses, seeks and ends in a real browser; then asks the API what happened.
import { chromium } from 'playwright-core';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkDocs } from './docs.mjs';
import { CUSTOMER, startPlayhead } from './server.mjs';
import { makeStream, serveMedia } from './stream.mjs';
import { truthOf } from './truth.mjs';

let passed = 0;
let failed = 0;
function check(name, good, detail = '') {
  if (good) passed += 1;
  else failed += 1;
  console.log(`${good ? 'ok  ' : 'FAIL'} ${name}${detail ? `: ${detail}` : ''}`);
}
const near = (name, actual, expected, tolerance) =>
  check(name, Math.abs(actual - expected) <= tolerance, `${actual}, page saw ${expected} (±${tolerance})`);
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

const work = mkdtempSync(path.join(tmpdir(), 'playhead-e2e-'));
console.log('making the stream');
makeStream(path.join(work, 'stream'));
mkdirSync(path.join(work, 'site'));
copyFileSync(path.join(import.meta.dirname, 'page.html'), path.join(work, 'site/page.html'));
copyFileSync(path.join(import.meta.dirname, 'node_modules/hls.js/dist/hls.js'), path.join(work, 'site/hls.js'));
const media = await serveMedia({ '/stream/': path.join(work, 'stream'), '/': path.join(work, 'site') });
const playhead = await startPlayhead(path.join(work, 'data'));
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
    '--disable-background-networking', '--disable-component-update',
    '--autoplay-policy=no-user-gesture-required'] });

const sessionId = crypto.randomUUID();
try {
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !/favicon/.test(message.location().url)) complaints.push(message.text());
  });
  await page.goto(`${media.url}/page.html`);
  const until = (predicate, limit = 30000) => page.waitForFunction(predicate, null, { timeout: limit });
  const started = Math.floor(Date.now() / 1000) - 5;
  await page.evaluate((options) => window.startPlayback(options), { source: `${media.url}/stream/master.m3u8`,
    collector: `${playhead.url}/cmcd/${CUSTOMER}/${sessionId}`, sessionId, contentId: 'e2e-asset' });
  console.log('playing');
  await until(() => window.seen.some((e) => e.type === 'playing'));
  await sleep(4000);
  console.log('throttling until it stalls');
  media.rate.bytesPerSecond = 6000;
  await until(() => window.seen.some((e, i) => e.type === 'waiting'
    && window.seen.slice(0, i).some((before) => before.type === 'playing')), 60000);
  await sleep(2000);
  media.rate.bytesPerSecond = Infinity;
  await until(() => window.seen.at(-1).type !== 'waiting' && !document.querySelector('video').paused
    && document.querySelector('video').readyState > 2);
  await sleep(3000);
  await page.evaluate(() => document.getElementById('video').pause());
  await sleep(1500);
  await page.evaluate(() => document.getElementById('video').play());
  await sleep(1500);
  await page.evaluate(() => { document.getElementById('video').currentTime = 33; });
  console.log('to the end');
  await until(() => window.seen.some((e) => e.type === 'ended'), 30000);
  await sleep(500);
  const truth = truthOf(await page.evaluate(() => window.seen));
  console.log(`page saw: ${JSON.stringify(truth)}`);
  const pictures = path.resolve(import.meta.dirname, '../../build/e2e');
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: path.join(pictures, 'page.png') });
  await page.evaluate(() => window.hls.destroy());

  const period = `start=${started},end=${Math.floor(Date.now() / 1000) + 5}`;
  // The page's stalls are those of the connection: waits after seeks are apart (cirr…).
  const metrics = 'attempts,viewercount,latency,cirrbuffercount,cirrbufferduration,pausecount,'
    + 'pauseduration,seekcount,playingtime,avgbitrate,fatalerrors,endedplays';
  const ask = () => playhead.api(`/mm-apis/metricquery/${CUSTOMER}?period=${period}&metrics=${metrics}`
    + `&allstatus=1&sessiontype=started&filter=[sessionid=${sessionId}]`);
  // An ended session is closed, and counted as ended, once no late record is expected. For a moment
  // it is in both tables, the closed one and the open one.
  let row = null;
  for (let tries = 0; tries < 100 && (row?.endedplays !== 1 || row.attempts !== 1); tries += 1) {
    await sleep(200);
    row = (await ask()).response[0];
  }
  console.log(`API says: ${JSON.stringify(row)}`);
  check('one attempt, one play', row.attempts === 1 && row.viewercount === 1);
  near('startup ms', Math.round(row.latency * 1000), truth.startupMs, 80);
  check('number of stalls', row.cirrbuffercount === truth.stalls.length,
    `${row.cirrbuffercount} of ${truth.stalls.length}`);
  near('stalled ms', Math.round(row.cirrbufferduration * 1000), truth.stalls.reduce((a, b) => a + b, 0),
    20 * Math.max(1, truth.stalls.length));
  check('pauses', row.pausecount === truth.pauses.length, `${row.pausecount}`);
  near('paused ms', Math.round(row.pauseduration * 1000), truth.pauses.reduce((a, b) => a + b, 0), 80);
  check('seeks', row.seekcount === truth.seeks, `${row.seekcount}`);
  near('play time ms', Math.round(row.playingtime * 60000), truth.playingMs, 400);
  check('bitrate within the ladder', row.avgbitrate >= 345 && row.avgbitrate <= 1060, `${row.avgbitrate} kbit/s`);
  check('no fatal error', row.fatalerrors === 0);
  check('ended gracefully', row.endedplays === 1);
  const session = await playhead.api(`/mm-apis/session/${CUSTOMER}?sessionid=${sessionId}`);
  const text = JSON.stringify(session);
  check('session detail names browser and asset', text.includes('Chrom') && text.includes('e2e-asset'));
  check('no complaint in the console', complaints.length === 0, complaints.join(' | ').slice(0, 300));
  await checkDocs(check, browser, playhead.url);
} catch (error) {
  check('the scenario ran', false, String(error.stack ?? error));
} finally {
  await browser.close();
  check('clean stop', await playhead.stop() === 0);
  media.close();
  rmSync(work, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
