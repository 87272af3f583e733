<?php
// What a shim in PHP needs, whatever it drives: the loop over JSON lines, a look at
// a mail, and the verdict. harness/SHIM.md is the manual of the protocol.

declare(strict_types=1);

/** What cannot be done as it was asked. */
final class Unsupported extends Exception
{
}

/** Something that correspondents should be told, with a stable word. */
final class Refused extends Exception
{
    public function __construct(public readonly string $reason, string $detail)
    {
        parent::__construct($detail);
    }
}

/** Object identifiers of content types as DER, kinds of layers, names. */
const KINDS = [
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 'signed', 'signed-data'],
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 'encrypted', 'enveloped-data'],
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x05", 'digested', 'digested-data'],
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06", 'encrypted-data', 'encrypted-data'],
    ["\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x02", 'authenticated', 'authenticated-data'],
    ["\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09", 'compressed', 'compressed-data'],
    ["\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", 'authenveloped', 'authEnveloped-data'],
];

/** @param array<string, callable(array): array> $operations each returns what stands beside `id` */
function serve(array $operations): void
{
    // What PHP itself has to say must not stand between the answers.
    ini_set('display_errors', 'stderr');
    while (($line = fgets(STDIN)) !== false) {
        if (trim($line) === '') {
            continue;
        }
        $request = json_decode($line, true);
        if (!is_array($request)) {
            $answer = ['id' => 0, 'error' => 'the request is not understood: ' . json_last_error_msg()];
        } else {
            $answer = ['id' => $request['id']] + answer($request, $operations);
        }
        fwrite(STDOUT, json_encode($answer, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE) . "\n");
        fflush(STDOUT);
    }
}

function answer(array $request, array $operations): array
{
    $operation = $operations[$request['op']] ?? null;
    if ($operation === null) {
        return ['unsupported' => "the operation {$request['op']} is not offered"];
    }
    if (!empty($request['settings'])) {
        return ['unsupported' => 'there are no settings'];
    }
    try {
        return $operation($request);
    } catch (Unsupported $why) {
        return ['unsupported' => $why->getMessage()];
    } catch (Refused $why) {
        return ['refused' => ['reason' => $why->reason, 'detail' => $why->getMessage()]];
    } catch (Throwable $error) {
        return ['error' => $error->getMessage()];
    }
}

// --- files and time

function path(array $request, string $name): string
{
    return "{$request['dir']}/$name";
}

function slurp(array $request, string $name): string
{
    $octets = @file_get_contents(path($request, $name));
    return $octets !== false ? $octets : throw new RuntimeException(path($request, $name) . ' cannot be read');
}

function spit(array $request, string $name, string $octets): void
{
    if (@file_put_contents(path($request, $name), $octets) !== strlen($octets)) {
        throw new RuntimeException(path($request, $name) . ' cannot be written');
    }
}

/** The certificates of a file, one PEM each. */
function pems(array $request, ?string $name): array
{
    if ($name === null) {
        return [];
    }
    preg_match_all('/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?/s', slurp($request, $name), $found);
    return $found[0];
}

/** Whether libfaketime was loaded into this process. */
function can_set_clock(): bool
{
    return str_contains((string) getenv('LD_PRELOAD'), 'libfaketime');
}

/** Sets the time of this process; without a clock it has that of the machine. */
function set_clock(?string $clock): void
{
    putenv('FAKETIME');
    if ($clock === null) {
        return;
    }
    if (!can_set_clock()) {
        throw new Unsupported('the time cannot be set: libfaketime is not here');
    }
    $time = new DateTimeImmutable($clock);
    putenv('FAKETIME=' . $time->setTimezone(new DateTimeZone('UTC'))->format('Y-m-d H:i:s'));
}

// --- mail

/**
 * What the beginning of a message says: encoding (mail, der, pem), media type,
 * whether it claims to be S/MIME, and kind and form that it announces.
 */
function entity(string $octets): array
{
    $entity = ['encoding' => 'mail', 'type' => '', 'claims' => true, 'kind' => null, 'form' => null];
    if (str_starts_with($octets, "\x30")) {
        return ['encoding' => 'der'] + $entity;
    }
    if (str_starts_with($octets, '-----BEGIN ')) {
        return ['encoding' => 'pem'] + $entity;
    }
    [$head] = head_and_body($octets);
    $head = preg_replace('/\r?\n[ \t]+/', ' ', $head);
    $value = preg_match('/^Content-Type[ \t]*:[ \t]*([^\r\n]*)/im', $head, $found) ? strtolower($found[1]) : '';
    $type = trim(explode(';', $value)[0]);
    $entity['type'] = $type;
    $entity['claims'] = in_array($type, ['multipart/signed', 'application/pkcs7-mime', 'application/x-pkcs7-mime'], true)
        || ($type === 'application/octet-stream' && preg_match('/\.p7[msz]\b/', $value));
    if ($type === 'multipart/signed') {
        [$entity['kind'], $entity['form']] = ['signed', 'clear'];
    } elseif (preg_match('/smime-type="?([a-z-]+)/', $value, $found)) {
        foreach (KINDS as [, $kind, $name]) {
            $entity['kind'] = strtolower($name) === $found[1] ? $kind : $entity['kind'];
        }
        $entity['form'] = $entity['kind'] === 'signed' ? 'opaque' : null;
    }
    return $entity;
}

/** Header, with its last line end, and body. */
function head_and_body(string $mail): array
{
    if (preg_match('/\r?\n\r?\n/', $mail, $found, PREG_OFFSET_CAPTURE)) {
        [$blank, $at] = $found[0];
        return [substr($mail, 0, $at) . "\r\n", substr($mail, $at + strlen($blank))];
    }
    return [$mail, ''];
}

/**
 * Kind and name of an object, by the content type that stands in it; nulls if it
 * cannot be read.
 */
function kind_of(string $octets, array $entity): array
{
    if ($entity['form'] === 'clear') {
        return ['signed', 'signed-data'];
    }
    if ($entity['encoding'] === 'pem') {
        $octets = (string) base64_decode(preg_replace('/-----[^\n]*/', '', $octets));
    } elseif ($entity['encoding'] === 'mail') {
        [$head, $body] = head_and_body($octets);
        $base64 = preg_match('/^Content-Transfer-Encoding[ \t]*:\s*base64/im', $head);
        $octets = $base64 ? (string) base64_decode(substr($body, 0, 400)) : $body;
    }
    foreach (KINDS as [$identifier, $kind, $name]) {
        if (str_contains(substr($octets, 0, 64), $identifier)) {
            return [$kind, $name];
        }
    }
    return [null, null];
}

/**
 * Takes a mail apart for protection (RFC 8551 section 3.1): the fields that stay
 * outside, one string each, and the entity.
 */
function split_mail(string $mail): array
{
    [$head, $body] = head_and_body($mail);
    $outer = [];
    $inner = '';
    foreach (preg_split('/\r?\n(?![ \t])/', trim($head)) as $field) {
        if (stripos($field, 'content-') === 0) {
            $inner .= "$field\r\n";
        } elseif (stripos($field, 'mime-version:') !== 0) {
            $outer[] = $field;
        }
    }
    return [$outer, "$inner\r\n$body"];
}

/** Text that a library wrote with its own line ends, as it stands in a mail. */
function crlf(string $text): string
{
    return preg_replace('/\r?\n/', "\r\n", $text);
}

/** A mail with a clear signature around an entity (RFC 8551 section 3.5.3). */
function clear_mail(array $outer, string $entity, string $signature, string $micalg): string
{
    $boundary = '=_' . bin2hex(random_bytes(12));
    $fields = [...$outer, 'MIME-Version: 1.0', 'Content-Type: multipart/signed; protocol="application/pkcs7-signature";'
        . "\r\n micalg=$micalg; boundary=\"$boundary\""];
    $object = "Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n"
        . "Content-Disposition: attachment; filename=smime.p7s\r\n\r\n" . chunk_split(base64_encode($signature));
    return implode("\r\n", $fields) . "\r\n\r\n--$boundary\r\n$entity\r\n--$boundary\r\n$object--$boundary--\r\n";
}

// --- the verdict

/** A layer below those that are there. */
function layer(array $layers, string $kind, string $name, ?string $form): array
{
    $path = $layers === [] ? "1/$name" : end($layers)['path'] . "/1/$name";
    return ['path' => $path, 'kind' => $kind, 'structure' => 'good'] + ($form === null ? [] : ['form' => $form]);
}

function bad(string $reason, string $detail): array
{
    return ['bad' => $reason, 'detail' => $detail];
}

function verdict(string $provider, array $layers): array
{
    $overall = $layers === [] ? 'unprotected' : 'valid';
    foreach ($layers as $layer) {
        foreach (['structure', 'decryption', 'integrity', 'chain'] as $aspect) {
            $value = $layer[$aspect] ?? null;
            if (isset($value['bad']) && is_array($value)) {
                $overall = 'invalid';
            } elseif ($overall === 'valid' && ($value === 'unchecked' || is_array($value))) {
                $overall = 'undetermined';
            }
        }
    }
    return ['format' => 1, 'overall' => $overall, 'provider' => $provider, 'dialect' => 'cms', 'layers' => $layers];
}

// --- the words of OpenSSL

/** The table that all scripts on OpenSSL share. */
function openssl(): array
{
    static $table = null;
    return $table ??= json_decode(file_get_contents(__DIR__ . '/../openssl.json'), true, 8, JSON_THROW_ON_ERROR);
}

/**
 * Aspect and reason of the first of the words that the table knows for one of the
 * aspects; nulls if it knows none.
 */
function translate(array $words, string ...$aspects): array
{
    foreach ($words as $text) {
        foreach (openssl()['words'] as [$known, $aspect, $reason]) {
            if (str_contains($text, $known)) {
                if (in_array($aspect, $aspects, true)) {
                    return [$aspect, $reason];
                }
                break;
            }
        }
    }
    return [null, null];
}
