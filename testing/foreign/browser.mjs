// A real browser (Chromium, headless) with a wallet behind it that the browser itself plays: reads {page, wallet} on
// standard input, where wallet is {action: "respond", protocol, response} or {action: "decline"}; opens the page, presses its button, and
// writes {ok, asked, said, blocked}: whether there was a button, what the page said then, what its policy kept from running.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const input = JSON.parse(readFileSync(0, 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'yufu-browser-'));
const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-pipe'];
flags.push('--enable-features=WebIdentityDigitalCredentials', `--user-data-dir=${folder}`, 'about:blank');
const browser = spawn(process.env.YUFU_BROWSER ?? 'chromium', flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const waiting = new Map();
const heard = [];
let rest = '';
let last = 0;
browser.stdio[4].on('data', (bytes) => {
  const parts = (rest + bytes).split('\0');
  rest = parts.pop();
  for (const part of parts) {
    const message = JSON.parse(part);
    if (message.id === undefined) heard.push(message);
    const { resolve, reject } = waiting.get(message.id) ?? {};
    if (message.error) reject?.(new Error(message.error.message));
    else resolve?.(message.result);
  }
});

function call(method, params = {}, sessionId) {
  const id = ++last;
  browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

async function until(what, found) {
  for (let turn = 0; turn < 200; turn++) {
    const value = await found();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the page did not come to this: ${what}`);
}

async function visit() {
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
  const evaluate = async (expression) => {
    const { result } = await call('Runtime.evaluate', { expression, returnByValue: true, userGesture: true }, sessionId);
    return result.value;
  };
  await call('Log.enable', {}, sessionId);
  await call('Page.navigate', { url: input.page }, sessionId);
  await until('the page is there', () => evaluate('document.readyState === "complete" && location.href !== "about:blank"'));
  await call('DigitalCredentials.setVirtualWalletBehavior', input.wallet, sessionId);
  const asked = await evaluate('Boolean(document.getElementById("ask") && !document.getElementById("ask").hidden)');
  if (!asked) return { asked, link: await evaluate('document.querySelector("a").href') };
  await evaluate('document.getElementById("ask").click()');
  const said = await until('it says something', () => evaluate('document.getElementById("said").textContent'));
  const blocked = heard.filter(({ method, params }) => method === 'Log.entryAdded' && params.entry.text.includes('Content Security Policy'));
  return { asked, said, blocked: blocked.map(({ params }) => params.entry.text) };
}

let answer;
try {
  answer = { ok: true, version: (await call('Browser.getVersion')).product, ...(await visit()) };
} catch (error) {
  answer = { ok: false, error: String(error?.message ?? error) };
}
const gone = new Promise((resolve) => browser.once('exit', resolve));
call('Browser.close').catch(() => {});
const kill = setTimeout(() => browser.kill('SIGKILL'), 5_000);
await gone;
clearTimeout(kill);
process.stdout.write(JSON.stringify(answer));
// Its helpers write for a moment longer: a folder that is not empty then is no failure of the page.
for (let turn = 0; turn < 50; turn++) {
  try {
    rmSync(folder, { recursive: true, force: true });
    break;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
