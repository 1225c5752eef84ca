// What @sd-jwt/sd-jwt-vc makes of the metadata of a credential's type. Reads {sd_jwt, issuer_jwk?, documents?} on standard
// input: the documents by type, or else they are found as a stranger finds them, by the issuer's metadata and the digest in
// the credential. Writes {ok, type?, chain?, error?} on standard output.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';
import { compactVerify, decodeJwt, importJWK } from 'jose';

const input = JSON.parse(readFileSync(0, 'utf8'));
const issuer = decodeJwt(input.sd_jwt.split('~')[0]).iss;

async function published(document, { origin, pathname }) {
  return (await fetch(`${origin}/.well-known/${document}${pathname}`)).json();
}

async function text(vct, integrity) {
  if (input.documents) return input.documents[vct];
  const metadata = await published('openid-credential-issuer', new URL(issuer));
  const digest = Buffer.from(integrity.replace('sha256-', ''), 'base64').toString('base64url');
  const found = await fetch(`${metadata.yufu_type_metadata_endpoint}/sha256-${digest}`);
  if (!found.ok) throw new Error(`no document of ${vct}: ${found.status}`);
  return found.text();
}

// The library's own check of integrity compares with hexadecimal digits: Subresource Integrity has base64.
async function fetcher(vct, integrity) {
  const document = await text(vct, integrity);
  if (document === undefined) return undefined;
  const actual = `sha256-${createHash('sha256').update(document).digest('base64')}`;
  if (integrity && actual !== integrity) throw new Error(`the document of ${vct} was altered`);
  return JSON.parse(document);
}

try {
  const jwk = input.issuer_jwk ?? (await published('jwt-vc-issuer', new URL(issuer))).jwks.keys[0];
  const key = await importJWK(jwk, 'ES256');
  const instance = new SDJwtVcInstance({
    hasher: (data, algorithm) =>
      createHash(algorithm.replace('-', '')).update(typeof data === 'string' ? data : Buffer.from(data)).digest(),
    hashAlg: 'sha-256',
    verifier: async (data, signature) => {
      try {
        await compactVerify(`${data}.${signature}`, key, { algorithms: ['ES256'] });
        return true;
      } catch {
        return false;
      }
    },
    loadTypeMetadataFormat: true,
    vctFetcher: fetcher,
  });
  const { typeMetadata } = await instance.verify(input.sd_jwt);
  const { mergedTypeMetadata: type, vctValues: chain } = typeMetadata;
  process.stdout.write(JSON.stringify({ ok: true, type, chain }));
} catch (error) {
  process.stdout.write(JSON.stringify({ ok: false, error: String(error?.message ?? error) }));
}
