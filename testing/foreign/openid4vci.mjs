// A wallet made of @openid4vc/openid4vci and @openid4vc/oauth2, which know nothing of ours, gets credentials by the authorization code
// flow under HAIP. Reads {offer, digits, provider: {id, address, instance}, keys: {attested, dpop, credentials}, encryption?} (private
// JWKs; how each batch is encrypted, if it is) on standard input, writes {ok, ...} or {ok: false, error}. Signatures, encryption and
// digests are by jose and Node.js. Three things are done here that the libraries do not: the person's browser; the member `challenge`
// of draft 10, where they know an older draft's `nonce`; and encrypting requests and opening answers (OpenID4VCI 1.0, 10), of which
// they know the member `credential_response_encryption` alone, as an older draft has it: with `alg` beside the key.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Oauth2Client, clientAuthenticationClientAttestationJwt, setGlobalConfig } from '@openid4vc/oauth2';
import { Openid4vciClient } from '@openid4vc/openid4vci';
import { CompactEncrypt, SignJWT, calculateJwkThumbprint, compactDecrypt, exportJWK, generateKeyPair, importJWK } from 'jose';

// Tests speak to this machine without TLS.
setGlobalConfig({ allowInsecureUrls: true });
const input = JSON.parse(readFileSync(0, 'utf8'));
const { provider, keys } = input;
const shown = ({ d, ...rest }) => rest;
const all = [keys.attested, keys.dpop, ...keys.credentials];
const same = (one, other) => one.x === other.x && one.y === other.y;
let challenge;

async function signJwt(signer, { header, payload }) {
  const key = all.find((key) => same(key, signer.publicJwk));
  const more = header.typ === 'oauth-client-attestation-pop+jwt' ? { challenge } : {};
  const jwt = await new SignJWT({ ...payload, ...more })
    .setProtectedHeader(header)
    .sign(await importJWK(key, 'ES256'));
  return { jwt, signerJwk: shown(key) };
}

async function provided(below, body) {
  const path = `/wallet-providers/${provider.id}/v1/${below}`;
  const claims = {
    iss: await calculateJwkThumbprint(shown(provider.instance)),
    aud: provider.id,
    htm: 'POST',
    htu: path,
    iat: Math.floor(Date.now() / 1000),
  };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'yufu-request+jwt' })
    .sign(await importJWK(provider.instance, 'ES256'));
  const response = await fetch(`${provider.address}/v1/${below}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`the provider: ${await response.text()}`);
  return await response.json();
}

// The person, in a browser: reads the page, types the digits, is sent back.
async function browse(address) {
  const page = await (await fetch(address)).text();
  const hidden = (name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)[1].replaceAll('&amp;', '&');
  const form = new URLSearchParams({
    client_id: hidden('client_id'),
    request_uri: hidden('request_uri'),
    tx_code: input.digits,
    decision: 'agree',
  });
  const [place] = address.split('?');
  const answer = await fetch(place, { method: 'POST', body: form, redirect: 'manual' });
  return answer.headers.get('location');
}

// What leaves for the credential endpoint encrypted, and what comes back so; everything else as it is.
function sealing(issuer, seal) {
  return async (url, init) => {
    const { credential_endpoint: endpoint, credential_request_encryption: accepted } = issuer() ?? {};
    if (!seal.enc || String(url) !== endpoint) return await fetch(url, init);
    const [jwk] = accepted.jwks.keys;
    if (!accepted.enc_values_supported.includes(seal.enc)) throw new Error(`${seal.enc} is not supported`);
    const body = await new CompactEncrypt(Buffer.from(init.body))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: seal.enc, kid: jwk.kid })
      .encrypt(await importJWK(jwk, 'ECDH-ES'));
    const headers = new Headers(init.headers);
    headers.set('content-type', 'application/jwt');
    const answer = await fetch(url, { ...init, headers, body });
    if (answer.headers.get('content-type') !== 'application/jwt') return answer;
    const opened = await compactDecrypt(await answer.text(), seal.secret);
    seal.opened.push(opened.protectedHeader);
    const plain = new Headers(answer.headers);
    plain.set('content-type', 'application/json');
    plain.delete('content-length');
    return new Response(opened.plaintext, { status: answer.status, headers: plain });
  };
}

async function run() {
  const seal = { opened: [] };
  const { attestation } = await provided('attestations', { key: shown(keys.attested) });
  let metadata;
  const callbacks = {
    fetch: sealing(() => metadata?.credentialIssuer, seal),
    hash: (data, algorithm) => createHash(algorithm.replace('-', '')).update(data).digest(),
    generateRandom: (length) => randomBytes(length),
    signJwt,
    verifyJwt: () => { throw new Error('nothing to verify'); },
    encryptJwe: () => { throw new Error('nothing to encrypt'); },
    decryptJwe: async (jwe) => ({ decrypted: true, payload: (await compactDecrypt(jwe)).plaintext }),
    clientAuthentication: async (options) => {
      const server = metadata.authorizationServers[0];
      const response = await fetch(server.challenge_endpoint, { method: 'POST' });
      challenge = (await response.json()).attestation_challenge;
      const authenticate = clientAuthenticationClientAttestationJwt({ callbacks, clientAttestationJwt: attestation });
      return await authenticate(options);
    },
  };
  const client = new Openid4vciClient({ callbacks });
  const dpop = { signer: { method: 'jwk', alg: 'ES256', publicJwk: shown(keys.dpop) } };
  const credentialOffer = await client.resolveCredentialOffer(input.offer);
  metadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
  const [configurationId] = credentialOffer.credential_configuration_ids;
  const { scope } = metadata.credentialIssuer.credential_configurations_supported[configurationId];
  const redirectUri = 'https://wallet.example/cb';
  const begun = await client.initiateAuthorization({
    clientId: provider.address,
    credentialOffer,
    issuerMetadata: metadata,
    redirectUri,
    scope,
    dpop,
  });
  const url = await browse(begun.authorizationRequestUrl);
  const authorizationServerMetadata = metadata.authorizationServers[0];
  const answer = client.parseAndVerifyAuthorizationResponseRedirectUrl({ url, authorizationServerMetadata });
  if (!answer.code) throw new Error(`the answer: ${url}`);
  const token = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
    issuerMetadata: metadata,
    credentialOffer,
    authorizationCode: answer.code,
    pkceCodeVerifier: begun.pkce.codeVerifier,
    redirectUri,
    dpop,
  });
  const [one, other] = input.encryption ?? [];
  const inTheClear = one && (await refusal(token.accessTokenResponse.access_token, one));
  const first = await batch(token.accessTokenResponse.access_token, one);
  const refreshed = await new Oauth2Client({ callbacks }).retrieveRefreshTokenAccessToken({
    authorizationServerMetadata,
    refreshToken: token.accessTokenResponse.refresh_token,
    dpop,
  });
  const second = await batch(refreshed.accessTokenResponse.access_token, other);
  const { token_type } = token.accessTokenResponse;
  const { authorizationFlow: flow } = begun;
  return { ok: true, scope, flow, token: token_type, batches: [first, second], opened: seal.opened, in_the_clear: inTheClear };

  // A key for the answer, in a request that anybody on the way could have written.
  async function refusal(accessToken, enc) {
    try {
      await batch(accessToken, enc, true);
      return null;
    } catch (error) {
      return error.response?.credentialErrorResponseResult?.data?.error ?? String(error);
    }
  }

  async function batch(accessToken, enc, clear) {
    let additionalRequestPayload;
    if (enc) {
      const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
      Object.assign(seal, { enc: clear ? undefined : enc, secret: privateKey });
      const jwk = { ...(await exportJWK(publicKey)), alg: 'ECDH-ES', use: 'enc', kid: 'answer' };
      additionalRequestPayload = { credential_response_encryption: { jwk, alg: 'ECDH-ES', enc } };
    }
    const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata: metadata });
    const { key_attestation } = await provided('key-attestations', { keys: keys.credentials.map(shown), nonce });
    const { jwt } = await client.createCredentialRequestJwtProof({
      issuerMetadata: metadata,
      credentialConfigurationId: configurationId,
      clientId: provider.address,
      nonce,
      keyAttestationJwt: key_attestation,
      signer: { method: 'jwk', alg: 'ES256', publicJwk: shown(keys.credentials[0]) },
    });
    const { credentialResponse } = await client.retrieveCredentials({
      issuerMetadata: metadata,
      credentialConfigurationId: configurationId,
      proofs: { jwt: [jwt] },
      additionalRequestPayload,
      accessToken,
      dpop,
    });
    await client.sendNotification({
      issuerMetadata: metadata,
      accessToken,
      notification: { notificationId: credentialResponse.notification_id, event: 'credential_accepted' },
      dpop,
    });
    return credentialResponse.credentials.map(({ credential }) => credential);
  }
}

try {
  process.stdout.write(JSON.stringify(await run()));
} catch (error) {
  const cause = error?.errorResponse ?? error?.response ?? error?.cause;
  process.stdout.write(JSON.stringify({ ok: false, error: String(error?.stack ?? error), cause: JSON.stringify(cause) }));
}
