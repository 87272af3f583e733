package Shim;

# What a shim in Perl needs, whatever it drives: the loop over JSON lines, a look
# at a mail, and the verdict. harness/SHIM.md is the manual of the protocol.

use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(dirname);
use JSON::PP ();
use MIME::Base64 qw(encode_base64 decode_base64);
use Time::Local qw(timegm);

our @EXPORT_OK = qw(serve unsupported slurp spit pems seconds set_clock can_set_clock kind_of entity inner_entity
    as_mail verdict layer bad translate words_of openssl);

my $json = JSON::PP->new->utf8->canonical;

# Every object identifier of a content type, as DER, and the kind of layer.
my @KINDS = (
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 'signed', 'signed-data'],
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 'encrypted', 'enveloped-data'],
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x05", 'digested', 'digested-data'],
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06", 'encrypted-data', 'encrypted-data'],
    ["\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x02", 'authenticated', 'authenticated-data'],
    ["\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09", 'compressed', 'compressed-data'],
    ["\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", 'authenveloped', 'authEnveloped-data'],
);

# Answers requests until the input ends. The operations return what stands beside
# `id`; one that dies with `unsupported` cannot do what was asked.
sub serve {
    my (%operations) = @_;
    $| = 1;
    while (my $line = <STDIN>) {
        next unless $line =~ /\S/;
        my $request = eval { $json->decode($line) };
        my $answer =
            ref $request eq 'HASH' ? answer($request, \%operations) : { error => "the request is not understood: $@" };
        print $json->encode({ id => ref $request eq 'HASH' ? $request->{id} : 0, %$answer }), "\n";
    }
}

sub answer {
    my ($request, $operations) = @_;
    my $name = $request->{op} // '';
    my $operation = $operations->{$name} or return { unsupported => "the operation $name is not offered" };
    return { unsupported => 'there are no settings' } if %{ $request->{settings} // {} };
    return eval { $operation->($request) } // refusal($@);
}

sub unsupported { die { unsupported => shift } }

sub refusal {
    my ($why) = @_;
    return $why if ref $why;
    chomp $why;
    return { error => $why };
}

# --- files and time

sub slurp {
    my ($request, $name) = @_;
    my $path = "$request->{dir}/$name";
    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/;
    return <$file>;
}

sub spit {
    my ($request, $name, $octets) = @_;
    my $path = "$request->{dir}/$name";
    open my $file, '>:raw', $path or die "$path: $!\n";
    print {$file} $octets or die "$path: $!\n";
    close $file or die "$path: $!\n";
}

# The certificates of a file, one PEM each.
sub pems {
    my ($request, $name) = @_;
    return () unless defined $name;
    return slurp($request, $name) =~ /(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?)/gs;
}

# RFC 3339 as seconds since 1970.
sub seconds {
    my ($clock) = @_;
    $clock =~ /^(\d+)-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([-+])(\d\d):(\d\d))$/
        or die "clock \"$clock\" is no RFC 3339 time\n";
    my $offset = defined $7 ? ($8 * 60 + $9) * ($7 eq '-' ? -60 : 60) : 0;
    return timegm($6, $5, $4, $3, $2 - 1, $1) - $offset;
}

# Whether libfaketime was loaded into this process.
sub can_set_clock { return ($ENV{LD_PRELOAD} // '') =~ /libfaketime/ }

# Sets the time of this process; without a clock it has that of the machine.
sub set_clock {
    my ($clock) = @_;
    delete $ENV{FAKETIME};
    return unless defined $clock;
    unsupported('the time of signing cannot be set: libfaketime is not here') unless can_set_clock();
    my @time = gmtime seconds($clock);
    $ENV{FAKETIME} = sprintf '%04d-%02d-%02d %02d:%02d:%02d', $time[5] + 1900, $time[4] + 1, @time[3, 2, 1, 0];
}

# --- mail

# What the beginning of a message says: encoding (mail, der, pem), media type,
# whether it claims to be S/MIME, and kind and form that it announces.
sub entity {
    my ($octets) = @_;
    return { encoding => 'der', claims => 1 } if $octets =~ /^\x30/;
    return { encoding => 'pem', claims => 1 } if $octets =~ /^-----BEGIN /;
    my ($head) = $octets =~ /\A(.*?\n)\r?\n/s;
    $head //= $octets;
    $head =~ s/\r?\n[ \t]+/ /g;
    my ($value) = $head =~ /^Content-Type[ \t]*:[ \t]*([^\r\n]*)/im;
    $value = lc($value // '');
    my ($type) = $value =~ /^([^;\s]*)/;
    my $entity = { encoding => 'mail', type => $type };
    $entity->{claims} = $type eq 'multipart/signed' || $type =~ m!^application/(x-)?pkcs7-mime$!
        || $type eq 'application/octet-stream' && $value =~ /\.p7[msz]\b/;
    my ($smime_type) = $value =~ /smime-type="?([a-z-]+)/;
    if ($type eq 'multipart/signed') {
        @$entity{qw(kind form)} = qw(signed clear);
    } elsif ($smime_type) {
        my ($row) = grep { lc $_->[2] eq $smime_type } @KINDS;
        $entity->{kind} = $row->[1] if $row;
        $entity->{form} = 'opaque' if $smime_type eq 'signed-data';
    }
    return $entity;
}

# Kind and name of an object, by the content type that stands in it; nothing if it
# cannot be read.
sub kind_of {
    my ($octets, $entity) = @_;
    return @{ $KINDS[0] }[1, 2] if ($entity->{form} // '') eq 'clear';
    if ($entity->{encoding} eq 'pem') {
        $octets = decode_base64($octets =~ /^-----BEGIN [^\n]*\n([^-]*)/ ? $1 : '');
    } elsif ($entity->{encoding} eq 'mail') {
        my ($head, $body) = $octets =~ /\A(.*?\n)\r?\n(.*)/s or return;
        my $base64 = $head =~ /^Content-Transfer-Encoding[ \t]*:\s*base64/im;
        $octets = $base64 ? decode_base64(substr $body, 0, 400) : $body;
    }
    my $start = substr $octets, 0, 64;
    for my $row (@KINDS) {
        return @$row[1, 2] if index($start, $row->[0]) >= 0;
    }
    return;
}

# A bare object as a mail.
sub as_mail {
    my ($octets, $entity, $smime_type) = @_;
    my $base64 = $entity->{encoding} eq 'pem' ? ($octets =~ /^-----BEGIN [^\n]*\n([^-]*)/)[0] : encode_base64($octets);
    return "MIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=$smime_type; name=smime.p7m\n"
        . "Content-Transfer-Encoding: base64\n\n$base64";
}

# --- the verdict

sub layer {
    my ($layers, $kind, $name, $form) = @_;
    my $path = @$layers ? "$layers->[-1]{path}/1/$name" : "1/$name";
    my $layer = { path => $path, kind => $kind, structure => 'good' };
    $layer->{form} = $form if defined $form;
    push @$layers, $layer;
    return $layer;
}

sub bad {
    my ($reason, $detail) = @_;
    return { bad => $reason, detail => $detail };
}

sub verdict {
    my ($provider, $layers) = @_;
    my @aspects = map { @$_{qw(structure decryption integrity chain)} } @$layers;
    my @bad = grep { ref $_ && exists $_->{bad} } @aspects;
    my @unchecked = grep { defined $_ && (ref $_ ? exists $_->{unchecked} : $_ eq 'unchecked') } @aspects;
    my $overall = !@$layers ? 'unprotected' : @bad ? 'invalid' : @unchecked ? 'undetermined' : 'valid';
    return { format => 1, overall => $overall, provider => $provider, dialect => 'cms', layers => $layers };
}

# --- the words of OpenSSL

my $openssl;

# The table that all scripts on OpenSSL share.
sub openssl {
    return $openssl //= $json->decode(slurp({ dir => dirname(__FILE__) . '/..' }, 'openssl.json'));
}

# What an exception of the library says, without where it was thrown.
sub words_of {
    my ($error) = @_;
    $error =~ s/ at \S+ line \d+\.?\s*\z//;
    return $error;
}

# Aspect and reason that words stand for; nothing if they are not in the table.
sub translate {
    my ($words) = @_;
    for my $row (@{ openssl()->{words} }) {
        return @$row[1, 2] if index($words, $row->[0]) >= 0;
    }
    return;
}

1;
