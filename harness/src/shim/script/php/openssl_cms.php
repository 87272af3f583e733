<?php
// PHP's openssl_cms_* functions as a shim.
//
// Each answers true or false and leaves OpenSSL's error queue. To tell integrity
// from chain, every signature is checked twice: without the certificate, then the
// certificate alone. The functions take no time: this process is started under
// libfaketime.

declare(strict_types=1);

require __DIR__ . '/shim.php';

const MOST_LAYERS = 16;
const ENCODINGS = ['mail' => OPENSSL_ENCODING_SMIME, 'der' => OPENSSL_ENCODING_DER, 'pem' => OPENSSL_ENCODING_PEM];
const CIPHERS = [
    'aes-128-cbc' => OPENSSL_CIPHER_AES_128_CBC,
    'aes-192-cbc' => OPENSSL_CIPHER_AES_192_CBC,
    'aes-256-cbc' => OPENSSL_CIPHER_AES_256_CBC,
    '3des-cbc' => OPENSSL_CIPHER_3DES,
];
const OLD_CIPHERS = [
    'rc2-cbc-40' => OPENSSL_CIPHER_RC2_40,
    'rc2-cbc-64' => OPENSSL_CIPHER_RC2_64,
    'rc2-cbc-128' => OPENSSL_CIPHER_RC2_128,
    'des-cbc' => OPENSSL_CIPHER_DES,
];

serve(['hello' => 'hello', 'open' => 'open', 'sign' => 'sign', 'encrypt' => 'encrypt']);

function hello(array $request): array
{
    if (!function_exists('openssl_cms_verify')) {
        return ['unsupported' => 'PHP ' . PHP_VERSION . ' has no openssl_cms_verify (8.0 or later with the extension openssl)'];
    }
    $openssl = openssl();
    return [
        'protocol' => 1,
        'hello' => [
            'name' => 'php',
            'version' => PHP_VERSION,
            'operations' => ['open', 'sign', 'encrypt'],
            'algorithms' => explode(' ', $openssl['cms'] . (has_legacy() ? " {$openssl['legacy']}" : '')),
            'forms' => ['signed', 'encrypted', 'authenveloped'],
            'aspects' => ['structure', 'decryption', 'integrity', 'chain'],
            'deviations' => false,
            'clock' => can_set_clock() ? 'faketime' : 'system',
            'writes_forms' => ['clear', 'opaque', 'encrypted'],
            'writes_algorithms' => ['sha-256', 'rsa-pkcs1-v1_5', 'ecdsa', 'ec', ...array_keys(ciphers())],
        ],
    ];
}

function has_legacy(): bool
{
    return in_array('rc2-cbc', openssl_get_cipher_methods(), true) && @openssl_cipher_iv_length('rc2-cbc') !== false
        && @openssl_encrypt('x', 'rc2-cbc', str_repeat('k', 16), 0, str_repeat('i', 8)) !== false;
}

function ciphers(): array
{
    return CIPHERS + (has_legacy() ? OLD_CIPHERS : []);
}

// --- reading

function open(array $request): array
{
    foreach (['crls', 'ocsp', 'passwords', 'symmetric_keys', 'require_revocation'] as $field) {
        if (!empty($request[$field])) {
            throw new Unsupported("openssl_cms_* take no $field");
        }
    }
    set_clock($request['clock'] ?? null);
    $opening = new Opening($request);
    $file = $request['message'];
    while ($file !== null && count($opening->layers) < MOST_LAYERS) {
        $inside = $file;
        $octets = slurp($request, $file);
        $entity = entity($octets);
        // The message itself is shown to PHP unless it is mere text; what comes out of a
        // layer only if it claims to be S/MIME.
        $shown = $opening->layers === []
            ? $entity['claims'] || !($entity['type'] === '' || str_starts_with($entity['type'], 'text/'))
            : $entity['claims'] && $entity['encoding'] === 'mail';
        $file = $shown ? $opening->judge($file, $octets, $entity) : null;
    }
    set_clock(null);
    $verdict = verdict('php', $opening->layers);
    if (in_array($verdict['overall'], ['valid', 'undetermined'], true)) {
        spit($request, $request['out'], slurp($request, $inside));
    }
    return ['verdict' => $verdict] + ($opening->words === [] ? [] : ['native' => implode(' | ', $opening->words)]);
}

/** One message on its way through the layers. */
final class Opening
{
    public array $layers = [];
    public array $words = [];

    public function __construct(private readonly array $request)
    {
    }

    /** Judges one layer; the result is the file of what is inside, if anything came out. */
    public function judge(string $file, string $octets, array $entity): ?string
    {
        [$kind, $name] = kind_of($octets, $entity);
        $kind ??= $entity['kind'] ?? 'unknown';
        $form = $kind === 'signed' ? $entity['form'] ?? 'opaque' : null;
        $layer = layer($this->layers, $kind, $name ?? $kind, $form);
        $inside = 'php-' . (count($this->layers) + 1) . '.content';
        // What is neither, or cannot be read, openssl_cms_verify shall speak of.
        $came = in_array($kind, ['encrypted', 'authenveloped'], true)
            ? $this->decrypted($layer, $file, $entity, $inside)
            : $this->checked($layer, $file, $entity, $inside);
        $this->layers[] = $layer;
        return $came ? $inside : null;
    }

    private function checked(array &$layer, string $file, array $entity, string $inside): bool
    {
        $words = $this->verify($file, $entity, OPENSSL_CMS_NOVERIFY, $inside);
        [$aspect, $reason] = $words === null ? ['good', null] : translate($words, 'structure', 'integrity');
        if ($aspect === 'structure') {
            $layer['structure'] = bad($reason, implode('; ', $words));
            $layer['integrity'] = 'unchecked';
            $layer['chain'] = isset($this->request['anchors']) ? 'unchecked' : ['unchecked' => 'no-anchor'];
            return false;
        }
        $layer['integrity'] = $words === null ? 'good' : bad($reason ?? 'signature-mismatch', implode('; ', $words));
        if (!isset($this->request['anchors'])) {
            $layer['chain'] = ['unchecked' => 'no-anchor'];
        } elseif ($reason === 'signer-certificate-not-found') {
            $layer['chain'] = 'unchecked';
        } else {
            $why = $this->verify($file, $entity, OPENSSL_CMS_NOSIGS, "$inside.chain");
            [$said, $reason] = $why === null ? ['good', null] : translate($why, 'chain');
            $layer['chain'] = $said === 'chain' ? bad($reason, implode('; ', $why)) : $said ?? 'unchecked';
        }
        // What a bad signature covers comes out too: the layers inside it can be told.
        return $words === null || $this->verify($file, $entity, OPENSSL_CMS_NOVERIFY | OPENSSL_CMS_NOSIGS, $inside) === null;
    }

    /** Null if it is good, else what was said. */
    private function verify(string $file, array $entity, int $flags, string $inside): ?array
    {
        $path = fn (?string $name) => $name === null ? null : path($this->request, $name);
        $content = $this->layers === [] ? $this->request['content'] ?? null : null;
        $trust = isset($this->request['anchors']) ? [$path($this->request['anchors'])] : [];
        $extra = $path($this->request['extra_certificates'] ?? null);
        $detached = $content !== null && $entity['encoding'] !== 'mail';
        return $this->ask(fn () => openssl_cms_verify(
            $path($detached ? $content : $file),
            $flags | ($detached ? OPENSSL_CMS_DETACHED | OPENSSL_CMS_BINARY : 0),
            null,
            $trust,
            $extra,
            $path($inside),
            null,
            $detached ? $path($file) : null,
            ENCODINGS[$entity['encoding']],
        ));
    }

    private function decrypted(array &$layer, string $file, array $entity, string $inside): bool
    {
        $sealed = $layer['kind'] === 'authenveloped';
        $layer['decryption'] = bad('no-key', 'no key with a certificate was given');
        $layer += $sealed ? ['integrity' => 'unchecked'] : [];
        foreach ($this->request['keys'] ?? [] as $own) {
            if (!isset($own['certificate'])) {
                continue;
            }
            [$key, $certificate] = [slurp($this->request, $own['key']), slurp($this->request, $own['certificate'])];
            $decrypt = fn (string $out) => $this->ask(fn () => openssl_cms_decrypt(
                path($this->request, $file),
                path($this->request, $out),
                $certificate,
                $key,
                ENCODINGS[$entity['encoding']],
            ));
            $words = $decrypt($inside);
            if ($words === null) {
                // In the place of a key that does not fit OpenSSL takes a random one (RFC 3218
                // section 2.3.2), and one in 256 of these gives a right padding.
                $words = $decrypt("$inside.again") ?? ['what comes out is another thing each time'];
                if (slurp($this->request, $inside) === slurp($this->request, "$inside.again")) {
                    $layer = ['decryption' => 'good'] + ($sealed ? ['integrity' => 'good'] : []) + $layer;
                    return true;
                }
            }
            [$aspect, $reason] = translate($words, 'structure', 'decryption');
            if ($aspect === 'structure') {
                $layer = ['structure' => bad($reason, implode('; ', $words)), 'decryption' => 'unchecked'] + $layer;
                return false;
            }
            // That another key is not a recipient's says nothing of this message.
            if ($layer['decryption']['bad'] === 'no-key') {
                // Of a certificate that is no recipient's, and of a wrong tag, it says nothing at all.
                $otherwise = $words === [] ? 'no-key' : 'wrong-key';
                $layer['decryption'] = bad($reason ?? ($sealed ? 'tag-mismatch' : $otherwise), implode('; ', $words));
            }
        }
        return false;
    }

    /** As the function of this name; what was said is kept. */
    private function ask(callable $function): ?array
    {
        $words = ask($function);
        if ($words !== null) {
            $this->words[] = implode('; ', $words);
        }
        return $words;
    }
}

/** Null if the function said true, else what it said: OpenSSL's error queue, the root cause first, and PHP's warning. */
function ask(callable $function): ?array
{
    while (openssl_error_string() !== false) {
        // What others left behind.
    }
    error_clear_last();
    if (@$function() === true) {
        return null;
    }
    $words = [];
    while (($line = openssl_error_string()) !== false) {
        $words[] = $line;
    }
    $warning = error_get_last();
    return $warning === null ? $words : [...$words, $warning['message']];
}

// --- writing

function sign(array $request): array
{
    if (($request['digest'] ?? 'sha-256') !== 'sha-256' || ($request['scheme'] ?? '') === 'rsassa-pss') {
        throw new Unsupported('openssl_cms_sign cannot be told a digest or a scheme: its habit is SHA-256');
    }
    if (isset($request['announces'])) {
        throw new Unsupported('openssl_cms_sign cannot be told what SMIMECapabilities lists');
    }
    $sent = [...pems($request, $request['certificates'] ?? null), ...pems($request, $request['encryption_certificate'] ?? null)];
    spit($request, 'php-sent.pem', implode('', $sent));
    set_clock($request['clock'] ?? null);
    $key = slurp($request, $request['key']['key']);
    $certificate = slurp($request, $request['key']['certificate']);
    $write = fn (int $flags, int $encoding) => fn ($in, $out, $headers) => openssl_cms_sign(
        $in,
        $out,
        $certificate,
        $key,
        $headers,
        $flags | OPENSSL_CMS_BINARY,
        $encoding,
        $sent === [] ? null : path($request, 'php-sent.pem'),
    );
    if (($request['form'] ?? 'clear') === 'opaque') {
        write($request, $write(0, OPENSSL_ENCODING_SMIME));
    } else {
        // "Detached signatures not possible with S/MIME encoding": the mail around it is ours.
        write($request, $write(OPENSSL_CMS_DETACHED, OPENSSL_ENCODING_DER));
        [$outer, $inner] = split_mail(slurp($request, $request['message']));
        spit($request, $request['out'], clear_mail($outer, $inner, slurp($request, $request['out']), 'sha-256'));
    }
    set_clock(null);
    return ['wrote' => new stdClass()];
}

function encrypt(array $request): array
{
    if (isset($request['key_encryption'])) {
        throw new Unsupported('openssl_cms_encrypt cannot be told how a key is encrypted');
    }
    $name = $request['cipher'] ?? 'aes-128-cbc';
    $cipher = ciphers()[$name] ?? throw new Unsupported("openssl_cms_encrypt has no cipher $name");
    $recipients = recipients($request);
    write($request, fn ($in, $out, $headers) => openssl_cms_encrypt(
        $in,
        $out,
        $recipients,
        $headers,
        OPENSSL_CMS_BINARY,
        OPENSSL_ENCODING_SMIME,
        $cipher,
    ));
    $serials = array_map(fn ($pem) => strtolower(openssl_x509_parse($pem)['serialNumberHex']), $recipients);
    return ['wrote' => ['cipher' => $name, 'recipients' => $serials, 'why' => "openssl_cms_encrypt was told $name"]];
}

/** The certificates to encrypt for: those named, or those that name the addresses. */
function recipients(array $request): array
{
    $found = [];
    foreach ($request['recipients'] ?? [] as $file) {
        array_push($found, ...pems($request, $file));
    }
    $known = pems($request, $request['extra_certificates'] ?? null);
    foreach ($found === [] ? $request['to'] : [] as $address) {
        $names = fn ($pem) => in_array(strtolower($address), addresses($pem), true);
        $found[] = array_values(array_filter($known, $names))[0]
            ?? throw new Refused('not-known', "no certificate names $address");
    }
    return [...$found, ...pems($request, $request['copy_for'] ?? null)];
}

/** The mail addresses that a certificate names, in lower case. */
function addresses(string $pem): array
{
    $names = strtolower((string) (openssl_x509_parse($pem)['extensions']['subjectAltName'] ?? ''));
    $names = array_map(trim(...), explode(',', $names));
    $mail = array_filter($names, fn ($name) => str_starts_with($name, 'email:'));
    return array_map(fn ($name) => substr($name, strlen('email:')), $mail);
}

/** Lets a function write the mail: its own fields after those that stay outside. */
function write(array $request, callable $function): void
{
    [$outer, $inner] = split_mail(slurp($request, $request['message']));
    spit($request, 'php-entity', $inner);
    $words = ask(fn () => $function(path($request, 'php-entity'), path($request, $request['out']), $outer));
    if ($words !== null) {
        throw new Unsupported('PHP would not write it: ' . implode('; ', $words));
    }
    $written = slurp($request, $request['out']);
    if (!str_starts_with($written, "\x30")) {
        spit($request, $request['out'], crlf($written));
    }
}
