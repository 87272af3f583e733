// PKI.js as a shim, on the WebCrypto of Node: it verifies and signs, encrypts and
// decrypts. What WebCrypto has not (RSA PKCS #1 v1.5 for keys, 3DES, RC2) it has not.
//
// A signature is checked twice: by itself, and with its certificate, which it judges
// first. It answers with one code and a sentence for both.

import { webcrypto } from 'node:crypto';
import * as shim from './shim.mjs';
import { Unsupported, bad, pems, slurp, spit } from './shim.mjs';

let pki, asn1js, absent;
try {
  [pki, asn1js] = [await shim.library('pkijs', 'build/index.js'), await shim.library('asn1js', 'build/index.js')];
} catch (error) {
  absent = `pkijs cannot be loaded: ${error.message}`;
}

const DIGESTS = { 'sha-1': 'SHA-1', 'sha-256': 'SHA-256', 'sha-384': 'SHA-384', 'sha-512': 'SHA-512' };
const CIPHERS = {
  'aes-128-cbc': { name: 'AES-CBC', length: 128 },
  'aes-192-cbc': { name: 'AES-CBC', length: 192 },
  'aes-256-cbc': { name: 'AES-CBC', length: 256 },
};
const CURVES = { '1.2.840.10045.3.1.7': 'P-256', '1.3.132.0.34': 'P-384', '1.3.132.0.35': 'P-521' };
const EC = '1.2.840.10045.2.1';

const ALGORITHMS = `sha-1 sha-256 sha-384 sha-512 rsa-pkcs1-v1_5 rsa-pkcs1-v1_5-sha-1 rsa-pkcs1-v1_5-sha-256
  rsa-pkcs1-v1_5-sha-384 rsa-pkcs1-v1_5-sha-512 rsassa-pss rsaes-oaep mgf1 ec ecdsa ecdsa-sha-1 ecdsa-sha-256
  ecdsa-sha-384 ecdsa-sha-512 p-256 p-384 p-521 ecdh-std-sha-1-kdf ecdh-std-sha-256-kdf ecdh-std-sha-384-kdf
  ecdh-std-sha-512-kdf aes-128-wrap aes-192-wrap aes-256-wrap aes-128-cbc aes-192-cbc aes-256-cbc`;

// What it says, and what that stands for: words, aspect, reason.
const translate = shim.translator([
  ['Unable to get signer by supplied index', 'structure', 'no-signers'],
  ['No certificates attached', 'integrity', 'signer-certificate-not-found'],
  ['Unable to find signer certificate', 'integrity', 'signer-certificate-not-found'],
  ['Missed detached data', 'structure', 'content-missing'],
  ["Message digest doesn't match", 'integrity', 'digest-mismatch'],
  ['"content-type" is a mandatory', 'structure', 'missing-attribute'],
  ['"message-digest" is a mandatory', 'structure', 'missing-attribute'],
  ['Unsupported signature algorithm', 'structure', 'unsupported-algorithm'],
  ['the signature does not verify', 'integrity', 'signature-mismatch'],
  ['Unsupported', 'structure', 'unsupported-algorithm'],
  ['not supported', 'structure', 'unsupported-algorithm'],
  ['Incorrect OID', 'structure', 'unsupported-algorithm'],
  ['no recipient has this certificate', 'decryption', 'no-key'],
  ['OperationError', 'decryption', 'wrong-key'],
  ['schema was not verified', 'structure', 'bad-ber'],
  ['End of input reached', 'structure', 'truncated'],
  ['ASN.1', 'structure', 'bad-ber'],
]);

// What it says of a certificate path.
const translatePath = shim.translator([
  ['expired', 'chain', 'expired'],
  ['before "not before"', 'chain', 'not-yet-valid'],
  ['not yet valid', 'chain', 'not-yet-valid'],
  ['revoked', 'chain', 'revoked'],
  ['revocation', 'chain', 'revocation-unknown'],
  ['No valid certificate paths found', 'chain', 'no-path'],
  ['pathLenConstraint', 'chain', 'path-length'],
  ['unable to find issuer', 'chain', 'no-path'],
  ['critical extension', 'chain', 'unknown-critical-extension'],
  ['CA', 'chain', 'not-a-ca'],
  ['polic', 'chain', 'policy-constraint'],
  ['ubtree', 'chain', 'name-constraint'],
  ['', 'chain', 'untrusted'],
]);

shim.serve({ hello, ...(pki && { open, sign, encrypt }) });

function hello() {
  if (absent) return { unsupported: absent };
  return {
    protocol: 1,
    hello: {
      name: 'pkijs',
      version: pki.version,
      operations: ['open', 'sign', 'encrypt'],
      algorithms: ALGORITHMS.split(/\s+/),
      forms: ['signed', 'encrypted'],
      aspects: ['structure', 'decryption', 'integrity', 'chain'],
      deviations: false,
      clock: 'settable',
      writes_forms: ['clear', 'opaque', 'encrypted'],
      writes_algorithms: [...Object.keys(DIGESTS), 'rsa-pkcs1-v1_5', 'rsassa-pss', 'ecdsa', 'rsaes-oaep', 'ec', ...Object.keys(CIPHERS)],
    },
  };
}

// --- reading

function open(request) {
  shim.refuseFields(request, 'the shim of PKI.js', 'crls', 'ocsp', 'passwords', 'symmetric_keys', 'require_revocation', 'extra_certificates');
  return shim.peel(request, 'pkijs', async (entity, layer, words) => {
    let info;
    let content;
    try {
      const parts = entity.form === 'clear' ? entity.parts() : [undefined, entity.object()];
      content = parts?.[0];
      if (request.content && entity.encoding !== 'mail') content = slurp(request, request.content);
      info = contentInfo(parts?.[1] ?? Buffer.alloc(0));
    } catch (error) {
      const said = `${error.name}: ${error.message}`;
      words.push(said);
      layer.structure = bad(translate(said)?.[1] ?? 'bad-ber', said);
      return undefined;
    }
    return info instanceof pki.SignedData
      ? judgeSigned(request, layer, words, info, content)
      : shim.judgeEncrypted(layer, request.keys, words, (own) => decrypt(request, info, own), translate);
  });
}

function contentInfo(der) {
  const parsed = asn1js.fromBER(der);
  if (parsed.offset === -1) throw new Error(`ASN.1: ${parsed.result.error}`);
  const info = new pki.ContentInfo({ schema: parsed.result });
  const Type = { [pki.ContentInfo.SIGNED_DATA]: pki.SignedData, [pki.ContentInfo.ENVELOPED_DATA]: pki.EnvelopedData }[info.contentType];
  if (!Type) throw new Unsupported(`PKI.js has no class for the content type ${info.contentType}`);
  return new Type({ schema: info.content });
}

async function judgeSigned(request, layer, words, data, content) {
  const check = async (checkChain, signer) => {
    try {
      const result = await data.verify({
        signer,
        data: content ? exact(content) : new ArrayBuffer(0),
        trustedCerts: pems(request, request.anchors).map((pem) => certificateOf(pem)),
        checkDate: request.clock ? new Date(request.clock) : new Date(),
        checkChain,
        passedWhenNotRevValues: true,
        extendedMode: true,
      });
      return { ...result, message: result.signatureVerified ? '' : 'the signature does not verify' };
    } catch (error) {
      words.push(error.message);
      return { signatureVerified: false, message: error.message, signerCertificateVerified: error.signerCertificateVerified };
    }
  };
  layer.integrity = 'good';
  layer.chain = request.anchors ? 'good' : { unchecked: 'no-anchor' };
  // It checks one signer at a time. One that is bad spoils the layer; without signers it says so itself.
  for (let signer = 0; signer < Math.max(1, data.signerInfos.length); signer += 1) {
    const { signatureVerified, message } = await check(false, signer);
    const [aspect, reason] = translate(message) ?? [];
    // The message was read before; what is no ASN.1 now is in the signature.
    if (!signatureVerified && aspect === 'structure' && reason !== 'bad-ber') {
      layer.structure = bad(reason, message);
      layer.integrity = 'unchecked';
      layer.chain = request.anchors ? 'unchecked' : { unchecked: 'no-anchor' };
      return undefined;
    }
    if (!signatureVerified) layer.integrity = bad(aspect === 'integrity' ? reason : 'signature-mismatch', message);
    if (!request.anchors || layer.chain.bad) continue;
    if (reason === 'signer-certificate-not-found') {
      layer.chain = 'unchecked';
      continue;
    }
    const path = await check(true, signer);
    if (!path.signerCertificateVerified) layer.chain = bad(translatePath(path.message)[1], path.message);
  }
  return content ?? (data.encapContentInfo.eContent && Buffer.from(data.encapContentInfo.eContent.getValue()));
}

async function decrypt(request, data, own) {
  const certificate = certificateOf(slurp(request, own.certificate));
  const index = data.recipientInfos.findIndex(({ value }) => names(value, certificate));
  if (index < 0) throw new Error('no recipient has this certificate');
  const key = exact(shim.derOf(slurp(request, own.key)));
  try {
    return await data.decrypt(index, { recipientCertificate: certificate, recipientPrivateKey: key });
  } catch (error) {
    // RSA PKCS #1 v1.5 it hands on by name, and WebCrypto knows no such name.
    if (error.name === 'NotSupportedError') throw new Unsupported(`WebCrypto has no algorithm of this message: ${error.message}`);
    throw error;
  }
}

/** Whether a recipient is the one of a certificate: PKI.js has to be given a number. */
function names(recipient, certificate) {
  if (recipient instanceof pki.KeyTransRecipientInfo) {
    const { rid } = recipient;
    if (rid instanceof pki.IssuerAndSerialNumber) return isOf(rid, certificate);
    return isKeyOf(rid, certificate);
  }
  if (recipient instanceof pki.KeyAgreeRecipientInfo) {
    return recipient.recipientEncryptedKeys.encryptedKeys.some(({ rid }) => {
      if (rid.variant === 1) return isOf(rid.value, certificate);
      return isKeyOf(rid.value.subjectKeyIdentifier, certificate);
    });
  }
  return false;
}

function isOf(rid, certificate) {
  return rid.issuer.isEqual(certificate.issuer) && rid.serialNumber.isEqual(certificate.serialNumber);
}

function isKeyOf(identifier, certificate) {
  const extension = certificate.extensions?.find(({ extnID }) => extnID === '2.5.29.14');
  const octets = (string) => Buffer.from(string.valueBlock.valueHexView ?? []).toString('hex');
  return extension?.parsedValue !== undefined && octets(identifier) === octets(extension.parsedValue);
}

// --- writing

async function sign(request) {
  const digest = request.digest ?? 'sha-256';
  if (!DIGESTS[digest]) throw new Unsupported(`PKI.js does not sign with ${digest}`);
  if (request.announces) throw new Unsupported('the shim of PKI.js writes no SMIMECapabilities');
  const hash = DIGESTS[digest];
  const certificate = certificateOf(slurp(request, request.key.certificate));
  const key = await ownKey(request, certificate, hash);
  const [outer, inner] = shim.splitMail(slurp(request, request.message));
  const isClear = (request.form ?? 'clear') === 'clear';
  const sent = ['certificates', 'encryption_certificate'].flatMap((name) => pems(request, request[name])).map(certificateOf);
  const attribute = (type, value) => new pki.Attribute({ type, values: [value] });
  const attributes = [
    attribute('1.2.840.113549.1.9.3', new asn1js.ObjectIdentifier({ value: pki.ContentInfo.DATA })),
    attribute('1.2.840.113549.1.9.5', new asn1js.UTCTime({ valueDate: request.clock ? new Date(request.clock) : new Date() })),
    attribute('1.2.840.113549.1.9.4', new asn1js.OctetString({ valueHex: await webcrypto.subtle.digest(hash, inner) })),
  ];
  const content = { eContentType: pki.ContentInfo.DATA };
  if (!isClear) content.eContent = new asn1js.OctetString({ valueHex: exact(inner) });
  const data = new pki.SignedData({
    version: 1,
    encapContentInfo: new pki.EncapsulatedContentInfo(content),
    signerInfos: [
      new pki.SignerInfo({
        version: 1,
        sid: new pki.IssuerAndSerialNumber({ issuer: certificate.issuer, serialNumber: certificate.serialNumber }),
        signedAttrs: new pki.SignedAndUnsignedAttributes({ type: 0, attributes }),
      }),
    ],
    certificates: [certificate, ...sent],
  });
  await data.sign(key, 0, hash, exact(inner));
  const der = encoded(pki.ContentInfo.SIGNED_DATA, data.toSchema(true));
  spit(request, request.out, isClear ? shim.clearMail(outer, inner, der, digest) : shim.objectMail(outer, der, 'signed-data'));
  return { wrote: {} };
}

/** The key for WebCrypto, which wants to know beforehand what it is for. */
async function ownKey(request, certificate, hash) {
  const { algorithmId, algorithmParams } = certificate.subjectPublicKeyInfo.algorithm;
  const rsa = request.scheme === 'rsassa-pss' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5';
  const curve = CURVES[algorithmParams?.valueBlock?.toString()];
  if (algorithmId === EC && !curve) throw new Unsupported('WebCrypto does not know the curve of the key');
  const algorithm = algorithmId === EC ? { name: 'ECDSA', namedCurve: curve } : { name: rsa, hash };
  try {
    return await webcrypto.subtle.importKey('pkcs8', shim.derOf(slurp(request, request.key.key)), algorithm, true, ['sign']);
  } catch (error) {
    throw new Unsupported(`WebCrypto does not know the key: ${error.message}`);
  }
}

async function encrypt(request) {
  const name = request.cipher ?? 'aes-128-cbc';
  if (!CIPHERS[name]) throw new Unsupported(`PKI.js encrypts no mail with ${name}`);
  if (!request.recipients?.length) throw new Unsupported('PKI.js remembers no correspondents: it has to be given their certificates');
  const files = [...request.recipients, ...(request.copy_for ? [request.copy_for] : [])];
  const certificates = files.flatMap((file) => pems(request, file)).map(certificateOf);
  const [outer, inner] = shim.splitMail(slurp(request, request.message));
  const data = new pki.EnvelopedData();
  for (const certificate of certificates) {
    // RSAES-OAEP with SHA-1, its default parameters, is what every reader of OAEP knows.
    data.addRecipientByCertificate(certificate, { oaepHashAlgorithm: 'SHA-1', kdfAlgorithm: 'SHA-256' });
  }
  await data.encrypt(CIPHERS[name], exact(inner));
  spit(request, request.out, shim.objectMail(outer, encoded(pki.ContentInfo.ENVELOPED_DATA, data.toSchema()), 'enveloped-data'));
  const recipients = certificates.map(({ serialNumber }) => Buffer.from(serialNumber.valueBlock.valueHexView).toString('hex').replace(/^(00)+(?=.)/, ''));
  return { wrote: { cipher: name, recipients, why: `PKI.js was told ${name}` } };
}

// --- its types

function encoded(contentType, content) {
  return Buffer.from(new pki.ContentInfo({ contentType, content }).toSchema().toBER(false));
}

function certificateOf(pem) {
  return pki.Certificate.fromBER(exact(shim.derOf(Buffer.from(pem))));
}

/** The octets as an ArrayBuffer of just these: a Buffer is a window into a larger one. */
function exact(buffer) {
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);
}
