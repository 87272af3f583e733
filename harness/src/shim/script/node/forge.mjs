// node-forge as a shim: it signs, encrypts and decrypts; "PKCS#7 signature verification
// not yet implemented". Of key transports it knows RSA PKCS #1 v1.5.

import * as shim from './shim.mjs';
import { Unsupported, pems, slurp, spit } from './shim.mjs';

let forge;
let absent;
try {
  const found = await shim.library('node-forge', 'lib/index.js');
  forge = { ...found.default, version: found.version };
} catch (error) {
  absent = `node-forge cannot be loaded: ${error.message}`;
}

const DIGESTS = { 'sha-1': 'sha1', 'sha-256': 'sha256', 'sha-384': 'sha384', 'sha-512': 'sha512' };
const CIPHERS = {
  'aes-128-cbc': 'aes128-CBC',
  'aes-192-cbc': 'aes192-CBC',
  'aes-256-cbc': 'aes256-CBC',
  '3des-cbc': 'des-EDE3-CBC',
};

// What it says, and what that stands for: words, aspect, reason.
const translate = shim.translator([
  ['no recipient has this certificate', 'decryption', 'no-key'],
  ['Encryption block is invalid', 'decryption', 'wrong-key'],
  ['Encrypted message length is invalid', 'decryption', 'wrong-key'],
  ['Encrypted message is invalid', 'decryption', 'wrong-key'],
  ['Invalid RSAES', 'decryption', 'wrong-key'],
  ['the cipher did not finish', 'decryption', 'bad-padding'],
  ['Unsupported symmetric cipher', 'structure', 'unsupported-algorithm'],
  ['Unsupported asymmetric cipher', 'structure', 'unsupported-algorithm'],
  ['OID', 'structure', 'unsupported-algorithm'],
  ['Cannot read PKCS#7 message', 'structure', 'bad-ber'],
  ['Too few bytes', 'structure', 'truncated'],
  ['Unparsed DER bytes', 'structure', 'bad-ber'],
  ['Content type is not supported', 'structure', 'unsupported-content-type'],
  ['ASN.1 object is not an', 'structure', 'bad-ber'],
]);

shim.serve({ hello, ...(forge && { open, sign, encrypt }) });

function hello() {
  if (absent) return { unsupported: absent };
  return {
    protocol: 1,
    hello: {
      name: 'node-forge',
      version: forge.version,
      operations: ['open', 'sign', 'encrypt'],
      algorithms: ['rsa', 'rsa-pkcs1-v1_5', ...Object.keys(CIPHERS)],
      forms: ['encrypted'],
      aspects: ['structure', 'decryption'],
      deviations: false,
      // It looks at no certificate: nothing that it judges depends on the time.
      clock: 'settable',
      writes_forms: ['clear', 'opaque', 'encrypted'],
      writes_algorithms: [...Object.keys(DIGESTS), 'rsa-pkcs1-v1_5', ...Object.keys(CIPHERS)],
    },
  };
}

function open(request) {
  shim.refuseFields(request, 'node-forge', 'passwords', 'symmetric_keys');
  return shim.peel(request, 'node-forge', (entity, layer, words) => {
    if (layer.kind === 'signed') {
      layer.integrity = layer.chain = 'unchecked';
      return undefined;
    }
    const object = entity.object().toString('latin1');
    const decrypt = (own) => {
      const message = forge.pkcs7.messageFromAsn1(forge.asn1.fromDer(object));
      const recipient = message.findRecipient(certificateOf(slurp(request, own.certificate)));
      if (!recipient) throw new Error('no recipient has this certificate');
      message.decrypt(recipient, forge.pki.privateKeyFromPem(slurp(request, own.key).toString('latin1')));
      if (!message.content) throw new Error('the cipher did not finish');
      return Buffer.from(message.content.getBytes(), 'latin1');
    };
    return shim.judgeEncrypted(layer, request.keys, words, decrypt, translate);
  });
}

function sign(request) {
  const digest = request.digest ?? 'sha-256';
  if (!DIGESTS[digest] || request.scheme === 'rsassa-pss') throw new Unsupported(`node-forge does not sign with ${request.scheme ?? digest}`);
  if (request.announces) throw new Unsupported('node-forge writes no SMIMECapabilities');
  const [outer, inner] = shim.splitMail(slurp(request, request.message));
  const isClear = (request.form ?? 'clear') === 'clear';
  const message = forge.pkcs7.createSignedData();
  message.content = forge.util.createBuffer(inner.toString('latin1'));
  const { key, certificate } = ownKey(request.key, request);
  const sent = ['certificates', 'encryption_certificate'].flatMap((name) => pems(request, request[name]));
  [certificate, ...sent.map(certificateOf)].forEach((each) => message.addCertificate(each));
  message.addSigner({
    key,
    certificate,
    digestAlgorithm: forge.pki.oids[DIGESTS[digest]],
    authenticatedAttributes: [
      { type: forge.pki.oids.contentType, value: forge.pki.oids.data },
      { type: forge.pki.oids.messageDigest },
      { type: forge.pki.oids.signingTime, value: request.clock ? new Date(request.clock) : new Date() },
    ],
  });
  message.sign({ detached: isClear });
  const der = Buffer.from(forge.asn1.toDer(message.toAsn1()).getBytes(), 'latin1');
  spit(request, request.out, isClear ? shim.clearMail(outer, inner, der, digest) : shim.objectMail(outer, der, 'signed-data'));
  return { wrote: {} };
}

function encrypt(request) {
  if (request.key_encryption) throw new Unsupported('node-forge encrypts keys with RSA PKCS #1 v1.5 alone');
  const name = request.cipher ?? 'aes-256-cbc';
  if (!CIPHERS[name]) throw new Unsupported(`node-forge encrypts no mail with ${name}`);
  const files = [...(request.recipients ?? []), ...(request.copy_for ? [request.copy_for] : [])];
  if (!request.recipients?.length) throw new Unsupported('node-forge remembers no correspondents: it has to be given their certificates');
  const certificates = files.flatMap((file) => pems(request, file)).map(certificateOf);
  const [outer, inner] = shim.splitMail(slurp(request, request.message));
  const message = forge.pkcs7.createEnvelopedData();
  certificates.forEach((certificate) => message.addRecipient(certificate));
  message.content = forge.util.createBuffer(inner.toString('latin1'));
  message.encrypt(undefined, forge.pki.oids[CIPHERS[name]]);
  const der = Buffer.from(forge.asn1.toDer(message.toAsn1()).getBytes(), 'latin1');
  spit(request, request.out, shim.objectMail(outer, der, 'enveloped-data'));
  const recipients = certificates.map((certificate) => certificate.serialNumber.toLowerCase());
  return { wrote: { cipher: name, recipients, why: `node-forge was told ${name}` } };
}

function ownKey(own, request) {
  try {
    return {
      key: forge.pki.privateKeyFromPem(slurp(request, own.key).toString('latin1')),
      certificate: certificateOf(slurp(request, own.certificate)),
    };
  } catch (error) {
    throw new Unsupported(`node-forge does not know the key: ${error.message}`);
  }
}

function certificateOf(pem) {
  try {
    return forge.pki.certificateFromPem(pem.toString('latin1'));
  } catch (error) {
    throw new Unsupported(`node-forge does not know the key of a certificate: ${error.message}`);
  }
}
