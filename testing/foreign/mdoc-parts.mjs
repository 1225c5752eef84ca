// What a wallet and a verifier for mdocs by `@auth0/mdl` have in common with OpenID4VP 1.0: the session transcript of posted
// answers, and a document shown for one.
import { createHash } from 'node:crypto';
import { DataItem, DeviceResponse, MDoc, parse } from '@auth0/mdl';
import cbor from '@auth0/mdl/lib/cbor/index.js';
import { calculateJwkThumbprint } from 'jose';

// B.2.6.1; `jwk` is the key that the answer is encrypted to. (The library's own helper is for a draft of ISO/IEC 18013-7.)
export async function openid4vpTranscript({ client_id, nonce, response_uri }, jwk) {
  const thumbprint = Buffer.from(await calculateJwkThumbprint(jwk), 'base64url');
  const info = cbor.cborEncode([client_id, nonce, thumbprint, response_uri]);
  return [null, null, ['OpenID4VPHandover', createHash('sha256').update(info).digest()]];
}

export const encoded = (transcript) => cbor.cborEncode(transcript);
// `SessionTranscriptBytes`: as embedded CBOR.
export const embedded = (transcript) => cbor.cborEncode(DataItem.fromData(transcript));

// A document as an issuer gave it (`IssuerSigned`), as the library takes documents.
export function held(issuerSigned, docType) {
  const document = new Map([['docType', docType], ['issuerSigned', cbor.cborDecode(issuerSigned)]]);
  return parse(cbor.cborEncode(new Map([['version', '1.0'], ['documents', [document]], ['status', 0]]))).documents[0];
}

// Elements of a document, shown by the holder's key for the conversation of `transcript` (embedded CBOR): a device response.
export async function shown(document, elements, key, transcript) {
  const path = (name) => ({ path: [`$['${document.docType}']['${name}']`], intent_to_retain: false });
  const descriptor = {
    id: document.docType,
    format: { mso_mdoc: { alg: ['ES256'] } },
    constraints: { limit_disclosure: 'required', fields: elements.map(path) },
  };
  const response = await DeviceResponse.from(new MDoc([document]))
    .usingPresentationDefinition({ id: 'asked', input_descriptors: [descriptor] })
    .usingSessionTranscriptBytes(transcript)
    .authenticateWithSignature(key, 'ES256')
    .sign();
  return Buffer.from(response.encode());
}
