// Credentials and presentations checked by libraries that know nothing of ours: SD-JWT VCs by `@sd-jwt/sd-jwt-vc` and `jose`,
// mdocs by `@auth0/mdl`.
import { X509Certificate, createHash } from 'node:crypto';
import { Verifier } from '@auth0/mdl';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';
import { compactVerify, decodeJwt, decodeProtectedHeader, importJWK } from 'jose';

async function verifyWith(key, data, signature) {
  try {
    await compactVerify(`${data}.${signature}`, key, { algorithms: ['ES256'] });
    return true;
  } catch {
    return false;
  }
}

// SD-JWT VC, section 5: the metadata of the issuer that the credential names.
async function resolve(issuer) {
  const { origin, pathname } = new URL(issuer);
  const metadata = await (await fetch(`${origin}/.well-known/jwt-vc-issuer${pathname}`)).json();
  if (metadata.issuer !== issuer) throw new Error(`the metadata are those of ${metadata.issuer}`);
  return metadata.jwks.keys[0];
}

async function checkChain(jws, anchors) {
  const { x5c } = decodeProtectedHeader(jws);
  if (!x5c) return;
  const chain = x5c.map((der) => new X509Certificate(Buffer.from(der, 'base64')));
  await compactVerify(jws, chain[0].publicKey, { algorithms: ['ES256'] });
  if (!anchors) return;
  const roots = anchors.map((der) => new X509Certificate(Buffer.from(der, 'base64')));
  const last = chain[chain.length - 1];
  if (!roots.some((root) => last.checkIssued(root) && last.verify(root.publicKey))) {
    throw new Error('no anchor issued the certificate chain');
  }
}

// {sd_jwt, issuer_jwk?, anchors?, audience?, nonce?, transaction_data?}: without issuer_jwk the key is resolved from the
// issuer's metadata, and a status list is fetched where the credential says.
export async function checkSdJwt(input) {
  const jws = input.sd_jwt.split('~')[0];
  const issuer = await importJWK(input.issuer_jwk ?? (await resolve(decodeJwt(jws).iss)), 'ES256');
  const instance = new SDJwtVcInstance({
    hasher: (data, algorithm) =>
      createHash(algorithm.replace('-', '')).update(typeof data === 'string' ? data : Buffer.from(data)).digest(),
    hashAlg: 'sha-256',
    verifier: (data, signature) => verifyWith(issuer, data, signature),
    kbVerifier: async (data, signature, payload) => verifyWith(await importJWK(payload.cnf.jwk, 'ES256'), data, signature),
  });
  const options = input.nonce ? { keyBindingNonce: input.nonce } : {};
  const result = await instance.verify(input.sd_jwt, options);

  const header = decodeProtectedHeader(jws);
  if (header.typ !== 'dc+sd-jwt') throw new Error(`typ is ${header.typ}`);
  await checkChain(jws, input.anchors);
  const binding = result.kb?.payload;
  if (input.audience && binding?.aud !== input.audience) {
    throw new Error(`key binding names the audience ${binding?.aud}`);
  }
  if (input.transaction_data) {
    const hashes = input.transaction_data.map((text) => createHash('sha256').update(text).digest('base64url'));
    if (JSON.stringify(binding?.transaction_data_hashes) !== JSON.stringify(hashes)) {
      throw new Error(`key binding signs the transactions ${binding?.transaction_data_hashes}`);
    }
  }
  return { payload: result.payload, key_binding: binding };
}

// {response, transcript, anchors}: a device response, the bytes of its session transcript as embedded CBOR, DER
// certificates, all in base64. What failed, the elements, and where the signed object says that its status is.
export async function checkMdoc({ response, transcript, anchors }) {
  const bytes = (text) => Buffer.from(text, 'base64');
  const pem = (der) => new X509Certificate(bytes(der)).toString();
  const failed = [];
  const onCheck = (check) => {
    if (check.status === 'FAILED') failed.push(check.check);
  };
  const verifier = new Verifier(anchors.map(pem));
  const options = { encodedSessionTranscript: bytes(transcript), onCheck };
  const { documents } = await verifier.verify(bytes(response), options);
  const [document] = documents;
  const elements = document.getIssuerNameSpace(document.docType);
  // The library decodes the member and has no words for it.
  const named = document.issuerSigned.issuerAuth.decodedPayload.status?.get('status_list');
  const status = named && { uri: named.get('uri'), idx: named.get('idx') };
  return { failed, doc_type: document.docType, elements, status };
}
