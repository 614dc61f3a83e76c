// A Playhead server of the build tree with one customer, on a free port, in a folder of its own.
import { execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

const BINARY = path.resolve(import.meta.dirname, '../../build/release/bin/playhead');
export const CUSTOMER = 900100200;

export async function startPlayhead(folder, extra = []) {
  const run = (...args) => execFileSync(BINARY, args, { encoding: 'utf8' }).trim();
  run('tenant', 'add', '--data-dir', folder, '--customer', `${CUSTOMER}`, '--plan-level', '6831');
  const key = run('apikey', 'add', '--data-dir', folder, '--customer', `${CUSTOMER}`, '--scope', 'read');
  const child = spawn(BINARY, ['serve', '--data-dir', folder, '--listen', '127.0.0.1:0', ...extra],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`playhead serve ended with ${code}`)));
  });
  const url = /http:\/\/[\d.:]+/.exec(line)[0];
  const api = async (target) => {
    const answer = await fetch(url + target, { headers: { 'x-api-key': key } });
    const body = await answer.json();
    if (!answer.ok) throw new Error(`${target}: ${answer.status} ${JSON.stringify(body)}`);
    return body;
  };
  const stop = () => new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.kill('SIGTERM');
  });
  return { url, api, stop };
}
