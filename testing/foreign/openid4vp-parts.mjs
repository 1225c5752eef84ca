// What a wallet and a verifier by `@openid4vc/openid4vp` have in common: the cryptography that the library leaves to others,
// by `jose` and Node.js; a signed request; what an answer to it holds.
import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import { setGlobalConfig } from '@openid4vc/oauth2';
import { Openid4vpVerifier } from '@openid4vc/openid4vp';
import { CompactEncrypt, CompactSign, compactDecrypt, compactVerify, exportJWK, generateKeyPair, importJWK } from 'jose';

// The city of the tests runs on this machine, without TLS.
setGlobalConfig({ allowInsecureUrls: true });

export const digest = (data, algorithm) => createHash(algorithm.replace('-', '')).update(data).digest();
export const certificate = (x5c) => new X509Certificate(Buffer.from(x5c, 'base64'));
export const privateKey = (pkcs8) =>
  createPrivateKey({ key: Buffer.from(pkcs8, 'base64url'), format: 'der', type: 'pkcs8' });

export async function verifies(key, compact) {
  try {
    await compactVerify(compact, key, { algorithms: ['ES256'] });
    return true;
  } catch {
    return false;
  }
}

export function callbacks({ signer, decryption } = {}) {
  return {
    fetch,
    hash: (data, algorithm) => digest(data, algorithm),
    generateRandom: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    getX509CertificateMetadata: (x5c) => ({
      sanDnsNames: [...(certificate(x5c).subjectAltName ?? '').matchAll(/DNS:([^,]+)/g)].map((found) => found[1]),
      sanUriNames: [],
    }),
    verifyJwt: async (by, { compact }) => {
      const leaf = certificate(by.x5c[0]);
      const verified = await verifies(leaf.publicKey, compact);
      return verified ? { verified, signerJwk: await exportJWK(leaf.publicKey) } : { verified };
    },
    signJwt: async (by, { header, payload }) => {
      const bytes = new TextEncoder().encode(JSON.stringify(payload));
      return { jwt: await new CompactSign(bytes).setProtectedHeader(header).sign(signer), signerJwk: {} };
    },
    encryptJwe: async ({ publicJwk, alg, enc, apu, apv }, data) => {
      const header = { alg, enc, kid: publicJwk.kid };
      const jwe = new CompactEncrypt(new TextEncoder().encode(data)).setProtectedHeader(header);
      const agreed = {};
      if (apu) agreed.apu = Buffer.from(apu, 'base64url');
      if (apv) agreed.apv = Buffer.from(apv, 'base64url');
      jwe.setKeyManagementParameters(agreed);
      return { jwe: await jwe.encrypt(await importJWK(publicJwk, alg)), encryptionJwk: publicJwk };
    },
    decryptJwe: async (jwe) => {
      const { plaintext } = await compactDecrypt(jwe, decryption);
      return { decrypted: true, payload: new TextDecoder().decode(plaintext), decryptionJwk: {} };
    },
  };
}

// A key that the answer to one request is encrypted to: what the request says of it, and the private part.
export async function answerKey() {
  const { publicKey, privateKey: secret } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'answer', use: 'enc', alg: 'ECDH-ES' };
  return { jwk, secret: await exportJWK(secret) };
}

// A request of `payload`, signed by `signer` under `x5c`; its answer is to be encrypted to `jwk` in `content`.
export async function signedRequest({ signer, x5c, payload, jwk, content, jar = {}, wallet }) {
  const verifier = new Openid4vpVerifier({ callbacks: callbacks({ signer }) });
  const es256 = { 'sd-jwt_alg_values': ['ES256'], 'kb-jwt_alg_values': ['ES256'] };
  const metadata = {
    jwks: { keys: [jwk] },
    encrypted_response_enc_values_supported: [content],
    vp_formats_supported: {
      'dc+sd-jwt': es256,
      mso_mdoc: { issuerauth_alg_values: [-7], deviceauth_alg_values: [-7] },
    },
  };
  return verifier.createOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: { ...payload, client_metadata: metadata },
    wallet,
    jar: {
      jwtSigner: { method: 'x5c', x5c, alg: 'ES256' },
      additionalJwtPayload: { aud: 'https://self-issued.me/v2' },
      expiresInSeconds: 300,
      ...jar,
    },
  });
}

// What an encrypted answer to `request` holds: the presentations by query, and the nonce that they have to name.
export async function openedAnswer({ request, response, secret, origin }) {
  const decryption = await importJWK(secret, 'ECDH-ES');
  const verifier = new Openid4vpVerifier({ callbacks: callbacks({ decryption }) });
  const parsed = await verifier.parseOpenid4vpAuthorizationResponse({
    callbacks: callbacks({ decryption }),
    authorizationResponse: { response },
    authorizationRequestPayload: request,
    origin,
  });
  return { presentations: parsed.dcql.presentations, nonce: parsed.expectedNonce };
}
