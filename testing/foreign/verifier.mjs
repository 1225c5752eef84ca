// A verifier that somebody else wrote and runs: requests by reference and answers over HTTP, made and opened by
// `@openid4vc/openid4vp`, checked by `@sd-jwt/sd-jwt-vc`, `@auth0/mdl` and `jose` (`checks.mjs`). It makes its own keys,
// enrols at the registrar with them, and learns whom to trust from the trust list. Writes {url, fingerprint} once it serves;
// then reads a step a line on standard input, and writes {ok, ...} or {ok: false, error} for each:
//   {as: "enrol", id, registrar, trust_list, trust_key}: has its access key certified under this id;
//   {as: "begin", purpose, query, content, otherwise?, sealed?}: a link to a request for what `purpose` is registered for, whose
//     answer is to be encrypted in `content`; `otherwise` names what is wrong with it, `sealed` encrypts it to the wallet;
//   {as: "result", id}: what came of it, once an answer came;
//   {as: "heard", id}: how often its request was fetched and answered, and what came to its other address.
// It ends with its standard input.
import { createHash, randomBytes, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { CompactSign, calculateJwkThumbprint, compactVerify, exportJWK, generateKeyPair, importJWK } from 'jose';
import { checkMdoc, checkSdJwt } from './checks.mjs';
import { embedded, encoded, openid4vpTranscript } from './mdoc-parts.mjs';
import { answerKey, openedAnswer, signedRequest } from './openid4vp-parts.mjs';

const keyPair = async () => {
  const { publicKey, privateKey: secret } = await generateKeyPair('ES256');
  return { jwk: await exportJWK(publicKey), secret };
};
const sha256 = (data) => createHash('sha256').update(data).digest();
const [institution, access, stranger] = [await keyPair(), await keyPair(), await keyPair()];
const asked = new Map();
let certified;
let anchors;
let strayed = 0;

async function request(one, form) {
  const named = { 'no nonce': undefined, 'another nonce': 'a-nonce-that-no-wallet-sent' };
  const wallet_nonce = one.otherwise in named ? named[one.otherwise] : (form.get('wallet_nonce') ?? undefined);
  const jar = {};
  if (one.sealed) {
    const wallet = JSON.parse(form.get('wallet_metadata'));
    const enc = wallet.request_object_encryption_enc_values_supported[0];
    jar.jweEncryptor = { method: 'jwk', publicJwk: wallet.jwks.keys[0], alg: 'ECDH-ES', enc };
  }
  const signer = one.otherwise === 'another key' ? stranger.secret : access.secret;
  const { jwk, content } = one;
  const payload = { ...one.payload, wallet_nonce };
  const wallet = { expectedNonce: wallet_nonce };
  const made = await signedRequest({ signer, x5c: certified.access, payload, jwk, content, jar, wallet });
  one.request = made.authorizationRequestPayload;
  return made.jar.authorizationRequestJwt;
}

async function check(one, query, presentation) {
  const { client_id, nonce } = one.request;
  if (query.format !== 'mso_mdoc') return checkSdJwt({ sd_jwt: presentation, anchors, audience: client_id, nonce });
  const transcript = await openid4vpTranscript(one.request, one.jwk);
  const seen = await checkMdoc({
    response: Buffer.from(presentation, 'base64url').toString('base64'),
    transcript: embedded(transcript).toString('base64'),
    anchors,
  });
  if (seen.failed.length > 0) throw new Error(seen.failed.join(', '));
  return { ...seen, presentation, transcript: encoded(transcript).toString('base64url') };
}

async function answer(one, response) {
  const { presentations } = await openedAnswer({ request: one.request, response, secret: one.secret });
  const shown = {};
  for (const [id, all] of Object.entries(presentations)) {
    const query = one.request.dcql_query.credentials.find((query) => query.id === id);
    if (!query || all.length !== 1) throw new Error(`${all.length} presentations of ${id}`);
    shown[id] = await check(one, query, all[0]);
  }
  return shown;
}

async function serve(incoming, outgoing) {
  let body = '';
  for await (const part of incoming) body += part;
  const [, what, id] = incoming.url.split('/');
  const one = asked.get(id);
  const say = (status, type, content) => outgoing.writeHead(status, { 'content-type': type }).end(content);
  if (!one || incoming.method !== 'POST') return say(404, 'text/plain', 'not here');
  const form = new URLSearchParams(body);
  if (what === 'requests') {
    one.fetched += 1;
    return say(200, 'application/oauth-authz-req+jwt', await request(one, form));
  }
  one.answered += 1;
  try {
    const shown = await answer(one, form.get('response'));
    one.settle({ shown });
    return say(200, 'application/json', '{}');
  } catch (error) {
    const refused = String(error?.message ?? error);
    one.settle({ refused });
    return say(400, 'application/json', JSON.stringify({ error: 'invalid_request', error_description: refused }));
  }
}

const listening = (handler) =>
  new Promise((resolve) => {
    const server = createServer(handler);
    server.listen(0, '127.0.0.1', () => resolve(`http://localhost:${server.address().port}`));
  });
const url = await listening((incoming, outgoing) =>
  serve(incoming, outgoing).catch((error) => outgoing.writeHead(500).end(String(error?.stack ?? error))),
);
const otherUrl = await listening((incoming, outgoing) => {
  strayed += 1;
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{}');
});

async function enrol({ id, registrar, trust_list, trust_key }) {
  const iat = Math.floor(Date.now() / 1000);
  const proven = Buffer.from(`yufu.enrolment.v1\0${id}\0registrar\0${iat}`);
  const proof = sign('sha256', proven, { key: access.secret, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  const wish = { iss: id, aud: 'registrar', url, iat, key: { jwk: access.jwk, proof } };
  const enrolment = await new CompactSign(Buffer.from(JSON.stringify(wish)))
    .setProtectedHeader({ alg: 'ES256', typ: 'yufu-enrolment+jwt', jwk: institution.jwk })
    .sign(institution.secret);
  const answer = await fetch(`${registrar}/v1/enrolments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ enrolment }),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.code);
  certified = body;
  const list = await (await fetch(trust_list)).text();
  const { payload, protectedHeader } = await compactVerify(list.trim(), await importJWK(trust_key, 'ES256'));
  if (protectedHeader.typ !== 'yufu-trust-list+jwt') throw new Error(`typ is ${protectedHeader.typ}`);
  const { entries } = JSON.parse(Buffer.from(payload));
  anchors = entries.filter((entry) => entry.role === 'pid_issuer').flatMap((entry) => entry.certificates);
  return { purposes: Object.keys(certified.registrations) };
}

async function begin({ purpose, query, content, otherwise, sealed }) {
  const id = randomBytes(12).toString('hex');
  const { jwk, secret } = await answerKey();
  const hash = sha256(Buffer.from(certified.access[0], 'base64')).toString('base64url');
  const client_id = `x509_hash:${hash}`;
  const at = otherwise === 'another origin' ? otherUrl : url;
  const payload = {
    response_type: 'vp_token',
    response_mode: 'direct_post.jwt',
    client_id,
    response_uri: `${at}/answers/${id}`,
    nonce: randomBytes(16).toString('base64url'),
    state: id,
    dcql_query: query,
  };
  if (otherwise !== 'no registration') {
    payload.verifier_info = [{ format: 'registration_cert', data: certified.registrations[purpose] }];
  }
  const jar = { requestUri: `${url}/requests/${id}` };
  const made = await signedRequest({ signer: access.secret, x5c: certified.access, payload, jwk, content, jar });
  const one = { payload, jwk, secret, content, otherwise, sealed, fetched: 0, answered: 0 };
  one.settled = new Promise((settle) => Object.assign(one, { settle }));
  asked.set(id, one);
  const named = otherwise === 'another name' ? client_id.replace(hash, sha256('other').toString('base64url')) : client_id;
  const link = new URL(made.authorizationRequest);
  link.searchParams.set('client_id', named);
  link.searchParams.set('request_uri_method', 'post');
  return { id, link: link.toString(), client_id };
}

const result = async ({ id }) => asked.get(id).settled;
const heard = async ({ id }) => ({ fetched: asked.get(id).fetched, answered: asked.get(id).answered, strayed });

const write = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);
write({ url, fingerprint: await calculateJwkThumbprint(institution.jwk) });
for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  try {
    write({ ok: true, ...(await { enrol, begin, result, heard }[step.as](step)) });
  } catch (error) {
    const said = [error?.message, error?.errorResponse?.error_description, error?.cause?.message].filter(Boolean);
    write({ ok: false, error: said.join(': ') || String(error) });
  }
}
process.exit(0);
