// A wallet of @cashu/cashu-ts, which knows nothing of ours, does one step against a mint.
// Reads {mint, unit, seed?, counters?, step, ...} on standard input: the seed in hexadecimal makes its secrets
// deterministic, the counters say how many were used of each keyset, the rest is what the step needs.
// Writes {ok, counters, ...} on standard output, or {ok: false, error, code?} with the mint's number.
import { readFileSync } from 'node:fs';
import { Wallet, createEphemeralCounterSource, getEncodedToken, hasValidDleq } from '@cashu/cashu-ts';

const METHOD = 'bank';
const input = JSON.parse(readFileSync(0, 'utf8'));
const counterSource = createEphemeralCounterSource(input.counters);
const wallet = new Wallet(input.mint, {
  unit: input.unit,
  bip39seed: input.seed ? Uint8Array.from(Buffer.from(input.seed, 'hex')) : undefined,
  counterSource,
  requireSigDleq: true,
});

// Amounts as numbers: the library's own are objects.
const plain = (proofs) => proofs.map((proof) => ({ ...proof, amount: Number(proof.amount) }));
const encoded = (proofs) => getEncodedToken({ mint: input.mint, unit: input.unit, proofs });
const sent = ({ keep, send }) => ({ keep: plain(keep), send: plain(send), token: encoded(send) });
const quoted = (quote) => ({ quote: { ...quote, amount: Number(quote.amount) } });

const steps = {
  async info() {
    const info = wallet.getMintInfo();
    const keyset = wallet.getKeyset();
    return { info: info.cache, keyset: { id: keyset.id, fee: keyset.fee, expiry: keyset.expiry, verified: keyset.verify() } };
  },
  async quote() {
    return quoted(await wallet.createMintQuote(METHOD, { amount: input.amount, pubkey: input.pubkey }));
  },
  async quote_state() {
    return quoted(await wallet.checkMintQuote(METHOD, input.quote));
  },
  async mint() {
    const config = input.privkey ? { privkey: input.privkey } : undefined;
    return { proofs: plain(await wallet.mintProofs(METHOD, input.quote.amount, input.quote, config)) };
  },
  async mint_batch() {
    const entries = input.quotes.map((quote) => ({ amount: quote.amount, quote }));
    const config = input.privkey ? { privkey: input.privkey } : undefined;
    const preview = await wallet.prepareBatchMint(METHOD, entries, config);
    return { proofs: plain(await wallet.completeBatchMint(preview)) };
  },
  // The notes themselves where they add up to the amount, others by a swap where they do not.
  async send() {
    return sent(await wallet.send(input.amount, input.proofs));
  },
  async send_locked() {
    return sent(await wallet.ops.send(input.amount, input.proofs).asP2PK(input.lock).run());
  },
  async receive() {
    const proofs = await wallet.receive(input.token, { privkey: input.privkey, requireDleq: true });
    return { proofs: plain(proofs) };
  },
  // What a payee without network checks of a token.
  async dleq() {
    const { proofs } = wallet.decodeToken(input.token);
    return { valid: proofs.map((proof) => hasValidDleq(proof, wallet.getKeyset(proof.id))) };
  },
  async states() {
    return { states: (await wallet.checkProofsStates(input.proofs)).map(({ state }) => state) };
  },
  async restore() {
    const restored = await wallet.batchRestore();
    return { proofs: plain(restored.proofs), last: restored.lastCounterWithSignature };
  },
  // Says each of some texts to the mint's socket, whatever they are; the answers to them.
  async speak() {
    const socket = new WebSocket(`${input.mint.replace('http', 'ws')}/v1/ws`);
    const heard = [];
    let awaken = () => {};
    socket.onmessage = ({ data }) => { heard.push(JSON.parse(data)); awaken(); };
    await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
    const answers = [];
    for (const text of input.texts) {
      socket.send(text);
      while (!heard.some(({ method }) => !method)) await new Promise((resolve) => { awaken = resolve; });
      answers.push(...heard.splice(0).filter(({ method }) => !method));
    }
    socket.close();
    return { answers };
  },
  // Listens to what it is told of quotes and notes, until each was told to be in its last state.
  async listen() {
    await wallet.mint.connectWebSocket();
    const connection = wallet.mint.webSocketConnection;
    const told = {};
    const listened = Object.entries(input.kinds).map(([kind, { filters, last }]) => new Promise((resolve, reject) => {
      told[kind] = [];
      const heard = ({ state }) => {
        if (told[kind].push(state) && state === last) resolve();
      };
      connection.createSubscription({ kind, filters }, heard, reject);
    }));
    await Promise.all(listened);
    const refused = await new Promise((resolve) =>
      connection.createSubscription({ kind: 'no_such_kind', filters: [] }, resolve, ({ message }) => resolve(message)));
    wallet.mint.disconnectWebSocket();
    return { told, refused };
  },
  async melt_quote() {
    return quoted(await wallet.createMeltQuote(METHOD, { request: input.request, amount: input.amount }));
  },
  async melt_quote_state() {
    return quoted(await wallet.checkMeltQuote(METHOD, input.quote));
  },
  async melt() {
    const { quote, change } = await wallet.meltProofs(METHOD, input.quote, input.proofs, { privkey: input.privkey });
    return { ...quoted(quote), change: plain(change) };
  },
};

try {
  await wallet.loadMint();
  const answer = await steps[input.step]();
  const counters = await counterSource.snapshot();
  process.stdout.write(JSON.stringify({ ok: true, counters, ...answer }, (_, value) => typeof value === 'bigint' ? Number(value) : value));
} catch (error) {
  process.stdout.write(JSON.stringify({ ok: false, error: String(error?.message ?? error), code: error?.code }));
}
