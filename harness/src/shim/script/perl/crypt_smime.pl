# Crypt::SMIME as a shim: OpenSSL's CMS for Perl.
#
# It tells little: an exception with the last entry of OpenSSL's error queue. To
# tell integrity from chain, every signature is checked twice: without the
# certificate, then the certificate alone. Why a certificate is refused it does
# not say.

use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Shim qw(serve unsupported slurp spit pems seconds set_clock kind_of entity as_mail verdict layer bad translate
    words_of openssl);

use constant MOST_LAYERS => 16;
# check() hands its flags to CMS_verify as they are. The module names only the first:
# NO_CHECK_CERTIFICATE.
use constant NO_SIGNER_CERTIFICATE => 0x20;
use constant NO_SIGNATURE => 0x04 | 0x08;

my $is_here = eval { require Crypt::SMIME };

serve(hello => \&hello, open => \&open_message, sign => \&sign, encrypt => \&encrypt);

sub hello {
    return { unsupported => 'Crypt::SMIME is not here (Debian: apt-get install libcrypt-smime-perl)' } unless $is_here;
    my $openssl = openssl();
    my $algorithms = $openssl->{cms} . (has_legacy() ? " $openssl->{legacy}" : '');
    return {
        protocol => 1,
        hello => {
            name => 'crypt-smime',
            version => $Crypt::SMIME::VERSION,
            operations => [qw(open sign encrypt)],
            algorithms => [split ' ', $algorithms],
            forms => [qw(signed encrypted authenveloped)],
            aspects => [qw(structure decryption integrity chain)],
            deviations => JSON::PP::false,
            clock => 'settable',
            writes_forms => [qw(clear encrypted)],
            # It can be told nothing: these are its habits.
            writes_algorithms => [qw(sha-256 rsa-pkcs1-v1_5 ecdsa ec aes-128-cbc)],
        },
    };
}

# Whether OpenSSL's legacy provider is loaded: a key under DES can then be read, and
# only the certificate is missing.
sub has_legacy {
    my $key = <<'PEM';
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGwMBsGCSqGSIb3DQEFAzAOBAjr0ZdyIwI5WgICCAAEgZCkp/dl9Y6qo53jcnmz
VQ7GUs65hfyZDwIafh00Xl2oeE3aRFKdnLW5iF+9PcbIvJUfAvFo7lwOGLZjF3m/
d8VS2E4HRsPhaPbVAkRFsJjGXsyvFIYA7p40yAfRhhLjoa3hpeQ/efYh8c1Q2KYO
EFrSpeEMSHMtJ2tNCLm1D3eos9jA3BnAnX9ylEVGKNtIzQo=
-----END ENCRYPTED PRIVATE KEY-----
PEM
    return !eval { Crypt::SMIME->new->setPrivateKey($key, '', 'secret'); 1 } && $@ =~ /private cert/;
}

# --- reading

sub open_message {
    my ($request) = @_;
    for my $field (qw(crls ocsp passwords symmetric_keys extra_certificates content require_revocation)) {
        unsupported("Crypt::SMIME takes no $field") if $request->{$field};
    }
    my $opening = { request => $request, layers => [], words => [] };
    my $octets = slurp($request, $request->{message});
    while (@{ $opening->{layers} } < MOST_LAYERS) {
        my $entity = entity($octets);
        my $outermost = !@{ $opening->{layers} };
        my $shown = $outermost ? $entity->{claims} || ($entity->{type} ne '' && $entity->{type} !~ m!^text/!)
            : $entity->{encoding} eq 'mail' && $entity->{claims};
        last unless $shown;
        my $inside = judge($opening, $octets, $entity);
        last unless defined $inside;
        $octets = $inside;
    }
    my $verdict = verdict('crypt-smime', $opening->{layers});
    spit($request, $request->{out}, $octets) if $verdict->{overall} =~ /^(valid|undetermined)$/;
    my @words = @{ $opening->{words} };
    return { verdict => $verdict, @words ? (native => join ' | ', @words) : () };
}

# Judges one layer; the result is what is inside, if anything came out.
sub judge {
    my ($opening, $octets, $entity) = @_;
    my ($kind, $name) = kind_of($octets, $entity);
    $octets = as_mail($octets, $entity, $name // 'signed-data') if $entity->{encoding} ne 'mail';
    $kind //= $entity->{kind};
    my $form = ($kind // '') eq 'signed' ? $entity->{form} // 'opaque' : undef;
    my $layer = layer($opening->{layers}, $kind // 'unknown', $name // $kind // 'unknown', $form);
    return decrypted($opening, $layer, $octets) if defined $kind && $kind =~ /^(encrypted|authenveloped)$/;
    # What is neither, or cannot be read, check() shall speak of.
    return checked($opening, $layer, $octets);
}

sub checked {
    my ($opening, $layer, $octets) = @_;
    my $request = $opening->{request};
    my @anchors = pems($request, $request->{anchors});
    my $check = sub {
        my ($flags) = @_;
        # A new object each time: a second setAtTime on the same one is passed over.
        my $smime = Crypt::SMIME->new;
        $smime->setPublicKey([]);
        $smime->setPublicKeyStore("$request->{dir}/$request->{anchors}") if @anchors;
        $smime->setAtTime(seconds($request->{clock})) if defined $request->{clock};
        return attempt($opening, sub { $smime->check($octets, $flags) });
    };
    my ($inside, $words) = $check->(NO_SIGNER_CERTIFICATE);
    my ($aspect, $reason) = translate($words // '');
    if (!defined $words) {
        $layer->{integrity} = 'good';
    } elsif (($aspect // '') eq 'structure') {
        $layer->{structure} = bad($reason, $words);
        $layer->{integrity} = 'unchecked';
        $layer->{chain} = @anchors ? 'unchecked' : { unchecked => 'no-anchor' };
        return;
    } else {
        $layer->{integrity} = bad(($aspect // '') eq 'integrity' ? $reason : 'signature-mismatch', $words);
    }
    if (!@anchors) {
        $layer->{chain} = { unchecked => 'no-anchor' };
    } elsif (($reason // '') eq 'signer-certificate-not-found') {
        $layer->{chain} = 'unchecked';
    } else {
        my (undef, $why) = $check->(NO_SIGNATURE);
        my ($said, $chain) = translate($why // '');
        $layer->{chain} = !defined $why ? 'good'
            : ($said // '') eq 'chain' ? bad($chain, $why)
            :                            'unchecked';
    }
    # What a bad signature covers comes out too: the layers inside it can be told.
    ($inside) = $check->(NO_SIGNER_CERTIFICATE | NO_SIGNATURE) unless defined $inside;
    return $inside;
}

sub decrypted {
    my ($opening, $layer, $octets) = @_;
    my $request = $opening->{request};
    my $sealed = $layer->{kind} eq 'authenveloped';
    $layer->{decryption} = bad('no-key', 'no key with a certificate was given');
    $layer->{integrity} = 'unchecked' if $sealed;
    for my $own (grep { defined $_->{certificate} } @{ $request->{keys} // [] }) {
        my $decrypt = sub {
            my $smime = Crypt::SMIME->new;
            $smime->setPrivateKey(slurp($request, $own->{key}), slurp($request, $own->{certificate}));
            return $smime->decrypt($octets);
        };
        my ($inside, $words) = attempt($opening, $decrypt);
        if (defined $inside) {
            # In the place of a key that does not fit OpenSSL takes a random one (RFC 3218
            # section 2.3.2), and one in 256 of these gives a right padding.
            my ($again) = attempt($opening, $decrypt);
            if (defined $again && $again eq $inside) {
                $layer->{decryption} = 'good';
                $layer->{integrity} = 'good' if $sealed;
                return $inside;
            }
            $words = 'what comes out is another thing each time';
        }
        my ($aspect, $reason) = translate($words);
        if (($aspect // '') eq 'structure') {
            $layer->{structure} = bad($reason, $words);
            $layer->{decryption} = 'unchecked';
            return;
        }
        # That another key is not a recipient's says nothing of this message.
        next if $layer->{decryption}{bad} ne 'no-key';
        $layer->{decryption} =
            bad(($aspect // '') eq 'decryption' ? $reason : $sealed ? 'tag-mismatch' : 'wrong-key', $words);
    }
    return;
}

# What came out, or what the exception said.
sub attempt {
    my ($opening, $do) = @_;
    my $octets = eval { $do->() };
    return $octets if defined $octets;
    my $words = words_of($@);
    push @{ $opening->{words} }, $words;
    return (undef, $words);
}

# --- writing

sub sign {
    my ($request) = @_;
    refuse_other($request, form => 'clear', digest => 'sha-256', dialect => 'cms');
    unsupported('Crypt::SMIME cannot be told a signature scheme') if ($request->{scheme} // '') eq 'rsassa-pss';
    unsupported('Crypt::SMIME cannot be told what SMIMECapabilities lists') if defined $request->{announces};
    set_clock($request->{clock});
    my $smime = Crypt::SMIME->new;
    $smime->setPrivateKey(slurp($request, $request->{key}{key}), slurp($request, $request->{key}{certificate}));
    $smime->setPublicKey([map { pems($request, $request->{$_}) } qw(certificates encryption_certificate)]);
    my $mail = $smime->sign(slurp($request, $request->{message}));
    set_clock(undef);
    spit($request, $request->{out}, $mail);
    return { wrote => {} };
}

sub encrypt {
    my ($request) = @_;
    refuse_other($request, cipher => 'aes-128-cbc', dialect => 'cms');
    unsupported('Crypt::SMIME cannot be told how a key is encrypted') if defined $request->{key_encryption};
    my @recipients = @{ $request->{recipients} // [] }
        or unsupported('Crypt::SMIME remembers no correspondents: it has to be given their certificates');
    my $smime = Crypt::SMIME->new;
    $smime->setPublicKey([map { pems($request, $_) } @recipients, $request->{copy_for}]);
    spit($request, $request->{out}, $smime->encrypt(slurp($request, $request->{message})));
    return { wrote => { cipher => 'aes-128-cbc', why => 'Crypt::SMIME has no other cipher' } };
}

# What it cannot be told is unsupported where it is not its habit anyway.
sub refuse_other {
    my ($request, %habits) = @_;
    for my $field (sort keys %habits) {
        my $wanted = $request->{$field} // next;
        unsupported("Crypt::SMIME cannot be told a $field; its habit is $habits{$field}") if $wanted ne $habits{$field};
    }
}
