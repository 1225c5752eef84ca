// A wallet of @cashu/cashu-ts with blind authentication (NUT-21, NUT-22) does one step against a mint.
// Reads {mint, unit, step, pool?, ...} on standard input; writes {ok, pool, ...}, or {ok: false, error, code?}.
import { readFileSync } from 'node:fs';
import { AuthManager, Mint, OIDCAuth, Wallet } from '@cashu/cashu-ts';

const METHOD = 'cash';
const CALLBACK = 'http://localhost:33388/callback';
const input = JSON.parse(readFileSync(0, 'utf8'));
const auth = new AuthManager(input.mint, { desiredPoolSize: 10 });
if (input.pool) auth.importPool(input.pool);
const mint = new Mint(input.mint, { authProvider: auth });
const wallet = new Wallet(mint, { unit: input.unit, requireSigDleq: true });
const oidc = () => OIDCAuth.fromMintInfo(wallet.getMintInfo().cache, {
  clientId: wallet.getMintInfo().cache.nuts['21'].client_id, scope: 'cash-allowance',
});
const quoted = (quote) => ({ quote: { ...quote, amount: Number(quote.amount) } });

const steps = {
  // What a wallet with the credential is to answer.
  async begin() {
    const { device_code, verification_uri_complete } = await oidc().deviceStart();
    return { code: device_code, link: verification_uri_complete };
  },
  // The same with a browser: where it goes, and what proves afterwards that the code is this wallet's.
  async browse() {
    const { verifier, challenge } = oidc().generatePKCE();
    const url = await oidc().buildAuthCodeUrl({ redirectUri: CALLBACK, codeChallenge: challenge, state: input.state });
    return { url, verifier };
  },
  async exchange() {
    const { access_token } = await oidc().exchangeAuthCode({
      code: input.code, redirectUri: CALLBACK, codeVerifier: input.verifier,
    });
    auth.setCAT(access_token);
    await auth.ensure(1);
    return { count: auth.poolSize };
  },
  async tokens() {
    const { access_token } = await oidc().devicePoll(input.code, 1);
    auth.setCAT(access_token);
    await auth.ensure(1);
    return { count: auth.poolSize };
  },
  async quote() {
    return quoted(await wallet.createMintQuote(METHOD, { amount: input.amount }));
  },
  async mint() {
    const proofs = await wallet.mintProofs(METHOD, input.quote.amount, input.quote);
    return { amount: proofs.reduce((sum, proof) => sum + Number(proof.amount), 0) };
  },
};

try {
  await wallet.loadMint();
  const answer = await steps[input.step]();
  const pool = auth.exportPool();
  process.stdout.write(JSON.stringify({ ok: true, pool, ...answer }, (_, value) => typeof value === 'bigint' ? Number(value) : value));
} catch (error) {
  process.stdout.write(JSON.stringify({ ok: false, error: String(error?.message ?? error), code: error?.code }));
}
