// Verifies a credential or presentation with @sd-jwt/sd-jwt-vc and jose, which know nothing of ours.
// Reads {sd_jwt, issuer_jwk, audience?, nonce?, status_lists?: {uri: jwt}} on standard input,
// writes {ok, payload?, key_binding?, error?} on standard output.
import { createHash, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';
import { compactVerify, importJWK, importX509 } from 'jose';

globalThis.crypto ??= webcrypto; // Node.js 18 does not expose it

const input = JSON.parse(readFileSync(0, 'utf8'));

async function verifyWith(key, data, signature) {
  try {
    await compactVerify(`${data}.${signature}`, key, { algorithms: ['ES256'] });
    return true;
  } catch {
    return false;
  }
}

try {
  const issuer = await importJWK(input.issuer_jwk, 'ES256');
  const instance = new SDJwtVcInstance({
    hasher: (data, algorithm) =>
      createHash(algorithm.replace('-', '')).update(typeof data === 'string' ? data : Buffer.from(data)).digest(),
    hashAlg: 'sha-256',
    verifier: (data, signature) => verifyWith(issuer, data, signature),
    kbVerifier: async (data, signature, payload) => verifyWith(await importJWK(payload.cnf.jwk, 'ES256'), data, signature),
    statusListFetcher: async (uri) => {
      const list = input.status_lists?.[uri];
      if (!list) throw new Error(`no status list was given for ${uri}`);
      return list;
    },
  });
  const options = input.nonce ? { keyBindingNonce: input.nonce } : {};
  const result = await instance.verify(input.sd_jwt, options);

  const header = JSON.parse(Buffer.from(input.sd_jwt.split('.')[0], 'base64url').toString());
  if (header.typ !== 'dc+sd-jwt') throw new Error(`typ is ${header.typ}`);
  if (header.x5c) {
    const leaf = await importX509(`-----BEGIN CERTIFICATE-----\n${header.x5c[0]}\n-----END CERTIFICATE-----`, 'ES256');
    await compactVerify(input.sd_jwt.split('~')[0], leaf, { algorithms: ['ES256'] });
  }
  if (input.audience && result.kb?.payload.aud !== input.audience) {
    throw new Error(`key binding names the audience ${result.kb?.payload.aud}`);
  }
  process.stdout.write(JSON.stringify({ ok: true, payload: result.payload, key_binding: result.kb?.payload }));
} catch (error) {
  process.stdout.write(JSON.stringify({ ok: false, error: String(error?.message ?? error) }));
}
