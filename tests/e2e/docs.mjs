// The page of /docs as a reader meets it: every operation is there, one can be tried, and nobody but the
// server is asked.
export async function checkDocs(check, browser, url) {
  const page = await browser.newPage();
  const asked = new Set();
  const complaints = [];
  page.on('request', (request) => asked.add(new URL(request.url()).origin));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/favicon/.test(message.location().url)) complaints.push(message.text());
  });
  await page.goto(`${url}/docs`);
  const document = await (await fetch(`${url}/openapi.json`)).json();
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  await page.waitForSelector('.opblock', { timeout: 60000 });
  const shown = await page.locator('.opblock').count();
  check('/docs shows every operation', shown === operations.length, `${shown} of ${operations.length}`);
  const one = page.locator('#operations-operations-healthz');
  await one.locator('button.opblock-summary-control').click();
  await one.locator('button.try-out__btn').click();
  await one.locator('button.execute').click();
  const live = one.locator('.live-responses-table tbody .response-col_status').first();
  await live.waitFor({ timeout: 30000 });
  check('/docs tries one', (await live.innerText()).startsWith('200'), await live.innerText());
  const others = [...asked].filter((origin) => origin !== url && origin.startsWith('http'));
  check('/docs asks nobody else', others.length === 0, others.join(', '));
  check('/docs has no complaint', complaints.length === 0, complaints.join(' | ').slice(0, 300));
  await page.close();
}
