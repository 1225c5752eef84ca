// A wallet and a verifier by `@openid4vc/openid4vp`, `@sd-jwt/sd-jwt-vc` and `jose`, which know nothing of ours.
// Reads a step on standard input, writes {ok, ...} or {ok: false, error}:
//   {as: "wallet", link, sd_jwt, key, frame}: fetches the request at the link, checks who asks, answers with the
//     credential, whose holder's key is `key` (PKCS#8); writes what the verifier answered. With {mdoc: {issuer_signed, doc_type,
//     elements, key}} (a JWK) it answers with that, by `@auth0/mdl`;
//   {as: "page", request, origin, sd_jwt, key, frame, content}: the same for what a page of that origin gives to
//     navigator.credentials.get; writes what the page gets;
//   {as: "asks", key, x5c, payload, content}: a signed request, and the private key that its answer is encrypted to;
//   {as: "receives", request, response, private_key, issuer_jwk}: what a verifier makes of an answer, to the claims.
import { readFileSync } from 'node:fs';
import { Openid4vpClient } from '@openid4vc/openid4vp';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';
import { CompactSign, importJWK } from 'jose';
import { embedded, held, openid4vpTranscript, shown } from './mdoc-parts.mjs';
import { answerKey, callbacks, digest, openedAnswer, privateKey, signedRequest, verifies } from './openid4vp-parts.mjs';

const instance = (more = {}) =>
  new SDJwtVcInstance({
    hasher: (data, algorithm) => digest(typeof data === 'string' ? data : Buffer.from(data), algorithm),
    hashAlg: 'sha-256',
    ...more,
  });

// One credential, shown to an audience for a nonce.
async function presentation({ sd_jwt, key, frame }, { aud, nonce }) {
  const holder = privateKey(key);
  const sdJwt = instance({
    kbSignAlg: 'ES256',
    kbSigner: async (data) => {
      const [header, payload] = data.split('.');
      const protectedHeader = JSON.parse(Buffer.from(header, 'base64url'));
      const jws = new CompactSign(Buffer.from(payload, 'base64url')).setProtectedHeader(protectedHeader);
      return (await jws.sign(holder)).split('.')[2];
    },
  });
  return sdJwt.present(sd_jwt, frame, { kb: { payload: { iat: Math.floor(Date.now() / 1000), aud, nonce } } });
}

// The same of an mdoc, for the answer to a request.
async function mdocPresentation({ issuer_signed, doc_type, elements, key }, request) {
  const transcript = await openid4vpTranscript(request, request.client_metadata.jwks.keys[0]);
  const document = held(Buffer.from(issuer_signed, 'base64url'), doc_type);
  return (await shown(document, elements, key, embedded(transcript))).toString('base64url');
}

// The answer to a request that was checked.
async function answered(client, resolved, input, { aud, origin }) {
  const request = resolved.authorizationRequestPayload;
  const { mdoc } = input;
  const given = mdoc ? await mdocPresentation(mdoc, request) : await presentation(input, { aud, nonce: request.nonce });
  const format = mdoc ? 'mso_mdoc' : 'dc+sd-jwt';
  const { id } = resolved.dcql.query.credentials.find((asked) => asked.format === format);
  return client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request,
    authorizationResponsePayload: { vp_token: { [id]: [given] } },
    origin,
    jarm: {
      encryption: { nonce: 'a-nonce-of-the-wallet' },
      serverMetadata: {
        authorization_signing_alg_values_supported: [],
        authorization_encryption_alg_values_supported: ['ECDH-ES'],
        authorization_encryption_enc_values_supported: [input.content],
      },
    },
  });
}

async function wallet(input) {
  const client = new Openid4vpClient({ callbacks: callbacks() });
  const { params } = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: input.link });
  const resolved = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: params });
  const request = resolved.authorizationRequestPayload;
  const response = await answered(client, resolved, input, { aud: request.client_id });
  const submitted = await client.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request,
    authorizationResponsePayload: response.authorizationResponsePayload,
    jarm: response.jarm,
  });
  const body = await submitted.response.json();
  return { status: submitted.response.status, body, prefix: resolved.client.prefix };
}

async function page(input) {
  const client = new Openid4vpClient({ callbacks: callbacks() });
  const { origin } = input;
  const resolved = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: input.request.data, origin });
  const response = await answered(client, resolved, input, { aud: `origin:${origin}`, origin });
  const data = { response: response.jarm.responseJwt };
  return { credential: { protocol: input.request.protocol, data }, prefix: resolved.client.prefix };
}

async function asks({ key, x5c, payload, content }) {
  const { jwk, secret } = await answerKey();
  const made = await signedRequest({ signer: privateKey(key), x5c, payload, jwk, content });
  const request = made.jar.authorizationRequestJwt ?? made.authorizationRequestObject.request;
  return { request, link: made.authorizationRequest, private_key: secret, payload: made.authorizationRequestPayload };
}

async function receives({ request, response, private_key, issuer_jwk, origin }) {
  const { presentations, nonce } = await openedAnswer({ request, response, secret: private_key, origin });
  const issuer = await importJWK(issuer_jwk, 'ES256');
  const check = instance({
    verifier: (data, signature) => verifies(issuer, `${data}.${signature}`),
    kbVerifier: async (data, signature, payload) => verifies(await importJWK(payload.cnf.jwk, 'ES256'), `${data}.${signature}`),
  });
  const [presentation] = Object.values(presentations)[0];
  const result = await check.verify(presentation, { keyBindingNonce: nonce });
  return { payload: result.payload, key_binding: result.kb.payload };
}

const input = JSON.parse(readFileSync(0, 'utf8'));
try {
  const answer = await { wallet, page, asks, receives }[input.as](input);
  process.stdout.write(JSON.stringify({ ok: true, ...answer }));
} catch (error) {
  const said = [error?.message, error?.errorResponse?.error_description, error?.cause?.message].filter(Boolean);
  process.stdout.write(JSON.stringify({ ok: false, error: said.join(': ') || String(error) }));
}
