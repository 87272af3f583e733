/*
 * What libgmssl has and its command `gmssl` has not: reading a private key that
 * is not encrypted, and SignedAndEnvelopedData.
 *
 *   gmssl-helper key KEY PASSWORD OUT                      PKCS#8 to the encrypted form of GmSSL
 *   gmssl-helper seal KEY PASSWORD CERT TO CRL IN OUT      SignedAndEnvelopedData; CRL may be -
 *   gmssl-helper unseal KEY PASSWORD CERT IN OUT
 *
 * Keys, certificates and messages are PEM. GmSSL says on standard error what went
 * wrong; the last line is said here. Compiled by `cargo xtask test --install`.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gmssl/asn1.h>
#include <gmssl/cms.h>
#include <gmssl/oid.h>
#include <gmssl/pem.h>
#include <gmssl/rand.h>
#include <gmssl/sm2.h>
#include <gmssl/x509.h>
#include <gmssl/x509_crl.h>

#define MOST (64 << 20)

static int fail(const char *what)
{
	fprintf(stderr, "gmssl-helper: %s\n", what);
	return 1;
}

static uint8_t *read_file(const char *name, size_t *size)
{
	FILE *file = fopen(name, "rb");
	uint8_t *octets = malloc(MOST);
	if (!file || !octets) {
		return NULL;
	}
	*size = fread(octets, 1, MOST, file);
	fclose(file);
	return octets;
}

static int load_key(SM2_KEY *key, const char *name, const char *password)
{
	FILE *file = fopen(name, "rb");
	int ret = file ? sm2_private_key_info_decrypt_from_pem(key, password, file) : -1;
	if (file) {
		fclose(file);
	}
	return ret;
}

static int load_certificate(uint8_t *certificate, size_t *size, size_t most, const char *name)
{
	FILE *file = fopen(name, "rb");
	int ret = file ? x509_cert_from_pem(certificate, size, most, file) : -1;
	if (file) {
		fclose(file);
	}
	return ret;
}

/*
 * The reader of GmSSL asks for the curve and the point within ECPrivateKey, which
 * RFC 5915 has as OPTIONAL: the number alone is taken, wherever it stands.
 */
static int key(char **names)
{
	uint8_t octets[2048];
	const uint8_t *in = octets, *info, *skipped, *wrapped, *ec, *number;
	size_t in_size, info_size, skipped_size, wrapped_size, ec_size, number_size;
	int version;
	SM2_KEY key;
	FILE *file = fopen(names[0], "rb");

	if (!file || pem_read(file, "PRIVATE KEY", octets, &in_size, sizeof(octets)) != 1) {
		return fail("no PKCS#8 in PEM");
	}
	fclose(file);
	if (asn1_sequence_from_der(&info, &info_size, &in, &in_size) != 1
		|| asn1_int_from_der(&version, &info, &info_size) != 1
		|| asn1_sequence_from_der(&skipped, &skipped_size, &info, &info_size) != 1
		|| asn1_octet_string_from_der(&wrapped, &wrapped_size, &info, &info_size) != 1
		|| asn1_sequence_from_der(&ec, &ec_size, &wrapped, &wrapped_size) != 1
		|| asn1_int_from_der(&version, &ec, &ec_size) != 1
		|| asn1_octet_string_from_der(&number, &number_size, &ec, &ec_size) != 1
		|| number_size != 32
		|| sm2_key_set_private_key(&key, number) != 1) {
		return fail("no SM2 key in PKCS#8");
	}
	file = fopen(names[2], "wb");
	if (!file || sm2_private_key_info_encrypt_to_pem(&key, names[1], file) != 1 || fclose(file) != 0) {
		return fail("the key cannot be written");
	}
	return 0;
}

static int seal(char **names)
{
	SM2_KEY sign_key;
	uint8_t own[4096], to[4096], content_key[16], iv[16];
	size_t own_size, to_size, in_size, cms_size, crl_size = 0;
	uint8_t *in = read_file(names[5], &in_size), *crl = NULL, *cms;
	CMS_CERTS_AND_KEY signer = { own, 0, &sign_key };
	FILE *out;

	if (!in) {
		return fail("no input");
	}
	if (load_key(&sign_key, names[0], names[1]) != 1) {
		return fail("private key decryption failure");
	}
	if (load_certificate(own, &own_size, sizeof(own), names[2]) != 1
		|| load_certificate(to, &to_size, sizeof(to), names[3]) != 1) {
		return fail("load certificate failure");
	}
	if (strcmp(names[4], "-") && !(crl = read_file(names[4], &crl_size))) {
		return fail("load CRL failure");
	}
	signer.certs_len = own_size;
	cms = malloc(in_size * 2 + (1 << 16));
	if (!cms || rand_bytes(content_key, sizeof(content_key)) != 1 || rand_bytes(iv, sizeof(iv)) != 1
		|| cms_sign_and_envelop(cms, &cms_size, &signer, 1, to, to_size, OID_sm4_cbc,
			content_key, sizeof(content_key), iv, sizeof(iv), OID_cms_data, in, in_size,
			crl, crl_size, NULL, 0, NULL, 0) != 1) {
		return fail("sign and envelop failure");
	}
	out = fopen(names[6], "wb");
	if (!out || cms_to_pem(cms, cms_size, out) != 1 || fclose(out) != 0) {
		return fail("output failure");
	}
	return 0;
}

static int unseal(char **names)
{
	SM2_KEY own_key;
	uint8_t own[4096];
	size_t own_size, cms_size, content_size, sizes[6];
	uint8_t *cms = malloc(MOST), *content;
	const uint8_t *recipients, *signers, *certificates, *crls, *shared1, *shared2;
	int type;
	FILE *in = fopen(names[3], "rb"), *out;

	if (load_key(&own_key, names[0], names[1]) != 1) {
		return fail("private key decryption failure");
	}
	if (load_certificate(own, &own_size, sizeof(own), names[2]) != 1) {
		return fail("load certificate failure");
	}
	if (!in || !cms || cms_from_pem(cms, &cms_size, MOST, in) != 1 || !(content = malloc(cms_size + 32))) {
		return fail("read CMS failure");
	}
	if (cms_deenvelop_and_verify(cms, cms_size, &own_key, own, own_size, NULL, 0, NULL, 0,
			&type, content, &content_size, &recipients, &sizes[0], &signers, &sizes[1],
			&certificates, &sizes[2], &crls, &sizes[3], &shared1, &sizes[4], &shared2, &sizes[5]) != 1) {
		return fail("deenvelop and verify failure");
	}
	out = fopen(names[4], "wb");
	if (!out || fwrite(content, 1, content_size, out) != content_size || fclose(out) != 0) {
		return fail("output failure");
	}
	return 0;
}

int main(int count, char **words)
{
	if (count == 5 && !strcmp(words[1], "key")) {
		return key(words + 2);
	}
	if (count == 9 && !strcmp(words[1], "seal")) {
		return seal(words + 2);
	}
	if (count == 7 && !strcmp(words[1], "unseal")) {
		return unseal(words + 2);
	}
	return fail("usage: key KEY PASSWORD OUT | seal KEY PASSWORD CERT TO CRL IN OUT | unseal KEY PASSWORD CERT IN OUT");
}
