// What a shim for Node needs, whatever it drives: the loop over JSON lines, a look at
// a mail, and the verdict. harness/SHIM.md is the manual of the protocol.

import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const MOST_LAYERS = 16;

// Object identifiers of content types as DER in hexadecimal, kinds of layers, names.
const KINDS = [
  ['06092a864886f70d010702', 'signed', 'signed-data'],
  ['06092a864886f70d010703', 'encrypted', 'enveloped-data'],
  ['06092a864886f70d010705', 'digested', 'digested-data'],
  ['06092a864886f70d010706', 'encrypted-data', 'encrypted-data'],
  ['060b2a864886f70d0109100102', 'authenticated', 'authenticated-data'],
  ['060b2a864886f70d0109100109', 'compressed', 'compressed-data'],
  ['060b2a864886f70d0109100117', 'authenveloped', 'authEnveloped-data'],
];

/** What cannot be done as it was asked. */
export class Unsupported extends Error {}

/** A library from `node_modules` of the folder in NODE_PATH, and its version: `import` does not look there. */
export async function library(name, file) {
  const folder = join(process.env.NODE_PATH ?? '', name);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const loaded = await import(pathToFileURL(join(folder, file)).href);
  return { version, ...loaded };
}

/** Answers requests until the input ends. The operations, by name, return what stands beside `id`. */
export async function serve(operations) {
  // What a library prints must not stand between the answers.
  console.log = console.error;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    let answer;
    try {
      const request = JSON.parse(line);
      answer = { id: request.id, ...(await answerTo(request, operations)) };
    } catch (error) {
      answer = { id: 0, error: `the request is not understood: ${error.message}` };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

async function answerTo(request, operations) {
  if (!Object.hasOwn(operations, request.op)) return { unsupported: `the operation ${request.op} is not offered` };
  if (Object.keys(request.settings ?? {}).length > 0) return { unsupported: 'there are no settings' };
  try {
    return await operations[request.op](request);
  } catch (error) {
    if (error instanceof Unsupported) return { unsupported: error.message };
    return { error: `${error.name}: ${error.message}` };
  }
}

export function refuseFields(request, name, ...fields) {
  for (const field of fields) {
    const value = request[field];
    if (Array.isArray(value) ? value.length > 0 : value) throw new Unsupported(`${name} takes no ${field}`);
  }
}

// --- files

export function slurp(request, name) {
  return readFileSync(join(request.dir, name));
}

export function spit(request, name, octets) {
  writeFileSync(join(request.dir, name), octets);
}

/** The certificates of a file, one PEM each. */
export function pems(request, name) {
  if (!name) return [];
  const text = slurp(request, name).toString('latin1');
  return text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n?/g) ?? [];
}

/** The octets of the first object of a PEM text. */
export function derOf(pem) {
  return Buffer.from(pem.toString('latin1').split('-----')[2], 'base64');
}

// --- mail

/** What the beginning of a message says. */
export class Entity {
  constructor(octets) {
    this.octets = octets;
    this.encoding = octets[0] === 0x30 ? 'der' : octets.subarray(0, 11).toString('latin1') === '-----BEGIN ' ? 'pem' : 'mail';
    this.type = '';
    this.parameters = '';
    this.form = undefined;
    this.claims = true;
    if (this.encoding === 'mail') this.#readContentType();
    [this.kind, this.name] = this.#kind();
  }

  #readContentType() {
    const head = headAndBody(this.octets)[0].toString('latin1').replace(/\r?\n[ \t]+/g, ' ');
    const value = head.match(/^Content-Type[ \t]*:[ \t]*([^\r\n]*)/im)?.[1] ?? '';
    this.type = value.split(';')[0].trim().toLowerCase();
    this.parameters = value;
    this.claims =
      ['multipart/signed', 'application/pkcs7-mime', 'application/x-pkcs7-mime'].includes(this.type) ||
      (this.type === 'application/octet-stream' && /\.p7[msz]\b/i.test(value));
    if (this.type === 'multipart/signed') this.form = 'clear';
  }

  #kind() {
    if (this.form === 'clear') return ['signed', 'signed-data'];
    const start = this.object().subarray(0, 64).toString('hex');
    const announced = this.parameters.match(/smime-type="?([a-z-]+)/i)?.[1].toLowerCase();
    const row =
      KINDS.find(([identifier]) => start.includes(identifier)) ?? KINDS.find(([, , name]) => name.toLowerCase() === announced);
    return row ? row.slice(1) : ['unknown', 'unknown'];
  }

  /** The object of a mail that is nothing else, or of a file. */
  object() {
    if (this.encoding === 'der') return this.octets;
    if (this.encoding === 'pem') return derOf(this.octets);
    return decodedBody(this.octets);
  }

  /** Both parts of a multipart/signed: the octets that were signed (RFC 1847 section 2.1), and the object. */
  parts() {
    const boundary = this.parameters.match(/boundary=(?:"([^"]+)"|([^\s;]+))/i);
    if (!boundary) return undefined;
    const delimiter = (boundary[1] ?? boundary[2]).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    // The line end before a delimiter belongs to the delimiter.
    const lines = new RegExp(`(?:^|\\r?\\n)--${delimiter}(?:--)?[ \\t]*(?=\\r?\\n|$)`, 'g');
    let text = headAndBody(this.octets)[1].toString('latin1');
    // A mail that was kept with the line ends of this machine was signed with those of a mail (RFC 8551 section 3.1.1).
    if (!text.includes('\r\n')) text = text.replace(/\n/g, '\r\n');
    const found = [...text.matchAll(lines)];
    if (found.length < 2) return undefined;
    const between = (one, other) => {
      const start = one.index + one[0].length;
      const rest = text.slice(start, other?.index ?? text.length);
      return Buffer.from(rest.replace(/^\r?\n/, ''), 'latin1');
    };
    return [between(found[0], found[1]), decodedBody(between(found[1], found[2]))];
  }

  /** Whether the library is asked about it. The message itself is shown to it unless it is mere text; what comes
   * out of a layer only if it claims to be S/MIME. */
  isShown(outermost) {
    if (!outermost) return this.encoding === 'mail' && this.claims;
    return this.claims || !(this.type === '' || this.type.startsWith('text/'));
  }
}

function decodedBody(entity) {
  const [head, body] = headAndBody(entity);
  const isBase64 = /^Content-Transfer-Encoding[ \t]*:\s*base64/im.test(head.toString('latin1'));
  return isBase64 ? Buffer.from(body.toString('latin1'), 'base64') : body;
}

/** Header, with its last line end, and body. */
export function headAndBody(mail) {
  const text = mail.toString('latin1');
  const found = text.match(/\r?\n\r?\n/);
  if (!found) return [mail, Buffer.alloc(0)];
  return [Buffer.from(`${text.slice(0, found.index)}\r\n`, 'latin1'), mail.subarray(found.index + found[0].length)];
}

/** Takes a mail apart for protection (RFC 8551 section 3.1): the fields that stay outside, and the entity. */
export function splitMail(mail) {
  const [head, body] = headAndBody(mail);
  const fields = head.toString('latin1').match(/^[^\r\n]+\r?\n(?:[ \t][^\r\n]*\r?\n)*/gm) ?? [];
  const inner = fields.filter((field) => /^content-/i.test(field));
  const outer = fields.filter((field) => !/^(content-|mime-version:)/i.test(field));
  return [outer.join(''), Buffer.concat([Buffer.from(`${inner.join('')}\r\n`, 'latin1'), body])];
}

function lines(octets) {
  return `${Buffer.from(octets).toString('base64').replace(/.{1,64}/g, '$&\r\n')}`;
}

/** The mail around an object. */
export function objectMail(outer, der, smimeType) {
  const head =
    `MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=${smimeType}; name=smime.p7m\r\n` +
    'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7m\r\n\r\n';
  return Buffer.from(outer + head + lines(der), 'latin1');
}

/** A mail with a clear signature around an entity (RFC 8551 section 3.5.3). */
export function clearMail(outer, entity, signature, micalg) {
  const boundary = `=_${randomBytes(12).toString('hex')}`;
  const head =
    `${outer}MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n` +
    ` micalg=${micalg}; boundary="${boundary}"\r\n\r\n--${boundary}\r\n`;
  const tail =
    `\r\n--${boundary}\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n` +
    'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7s\r\n\r\n' +
    `${lines(signature)}--${boundary}--\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), entity, Buffer.from(tail, 'latin1')]);
}

// --- the verdict

export function bad(reason, detail) {
  return { bad: reason, detail };
}

/** Lets `judge` (entity, layer, words) fill one layer after the other; it returns what was inside, if anything. */
export async function peel(request, provider, judge) {
  let octets = slurp(request, request.message);
  const [layers, words] = [[], []];
  while (layers.length < MOST_LAYERS) {
    const entity = new Entity(octets);
    if (!entity.isShown(layers.length === 0)) break;
    if (entity.type.startsWith('multipart/') && entity.form !== 'clear') {
      throw new Unsupported('the library reads no mail, and this shim looks for an object in no multipart/mixed');
    }
    const outside = layers.length === 0 ? '1' : `${layers.at(-1).path}/1`;
    const layer = { path: `${outside}/${entity.name}`, kind: entity.kind, structure: 'good' };
    if (entity.kind === 'signed') layer.form = entity.form ?? 'opaque';
    layers.push(layer);
    const inside = await judge(entity, layer, words);
    if (inside === undefined) break;
    octets = Buffer.from(inside);
  }
  const aspects = layers.flatMap(({ structure, decryption, integrity, chain }) => [structure, decryption, integrity, chain]);
  const some = (word) => aspects.some((value) => value === word || value?.[word] !== undefined);
  const worst = some('bad') ? 'invalid' : some('unchecked') ? 'undetermined' : 'valid';
  const overall = layers.length === 0 ? 'unprotected' : worst;
  if (overall === 'valid' || overall === 'undetermined') spit(request, request.out, octets);
  const verdict = { format: 1, overall, provider, dialect: 'cms', layers };
  return { verdict, ...(words.length > 0 && { native: words.join(' | ') }) };
}

/** Fills an encrypted layer with the first key that opens it. `decrypt` (key) returns the content, or throws;
 * `translate` (words) says aspect and reason. */
export async function judgeEncrypted(layer, keys, words, decrypt, translate) {
  layer.decryption = bad('no-key', 'no key with a certificate was given');
  for (const own of keys ?? []) {
    if (!own.certificate) continue;
    try {
      const inside = await decrypt(own);
      layer.decryption = 'good';
      return inside;
    } catch (error) {
      if (error instanceof Unsupported) throw error;
      const said = `${error.name}: ${error.message}`;
      words.push(said);
      const [aspect, reason] = translate(said) ?? [];
      if (aspect === 'structure') {
        layer.structure = bad(reason, said);
        layer.decryption = 'unchecked';
        return undefined;
      }
      // That another key is not a recipient's says nothing of this message.
      if (layer.decryption.bad === 'no-key') layer.decryption = bad(aspect === 'decryption' ? reason : 'wrong-key', said);
    }
  }
  return undefined;
}

export function translator(table) {
  return (said) => table.find(([words]) => said.includes(words))?.slice(1);
}
