/*
 * How often libgmssl does an operation of SM2 in a second of processor time, and
 * how many megabytes (10^6 octets) of SM3 and SM4-CBC it does: a line each, name
 * and number with a tab between them. Compiled and run by `cargo xtask bench sm2`.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <gmssl/sm2.h>
#include <gmssl/sm3.h>
#include <gmssl/sm4.h>

#define BLOCK 16384

static SM2_KEY key;
static SM4_KEY encrypting, decrypting;
static uint8_t digest[32], content_key[16], vector[16], block[BLOCK];
static uint8_t signature[SM2_MAX_SIGNATURE_SIZE], wrapped[SM2_MAX_CIPHERTEXT_SIZE];
static size_t signature_size, wrapped_size;

static int sign(void) { return sm2_sign(&key, digest, signature, &signature_size); }
static int verify(void) { return sm2_verify(&key, digest, signature, signature_size); }
static int encrypt(void) { return sm2_encrypt(&key, content_key, sizeof(content_key), wrapped, &wrapped_size); }
static int decrypt(void)
{
	uint8_t plain[SM2_MAX_PLAINTEXT_SIZE];
	size_t size;
	return sm2_decrypt(&key, wrapped, wrapped_size, plain, &size);
}
static int sm3(void) { sm3_digest(block, BLOCK, digest); return 1; }
static int sm4_encrypting(void) { sm4_cbc_encrypt(&encrypting, vector, block, BLOCK / 16, block); return 1; }
static int sm4_decrypting(void) { sm4_cbc_decrypt(&decrypting, vector, block, BLOCK / 16, block); return 1; }

static double now(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int measure(const char *name, int (*run)(void), double seconds, double scale)
{
	double start = now(CLOCK_MONOTONIC), before = now(CLOCK_THREAD_CPUTIME_ID), times = 0;
	while (now(CLOCK_MONOTONIC) - start < seconds) {
		if (run() != 1) {
			fprintf(stderr, "gmssl_speed: %s failed\n", name);
			return 1;
		}
		times += 1;
	}
	printf("%s\t%.1f\n", name, times * scale / (now(CLOCK_THREAD_CPUTIME_ID) - before));
	return 0;
}

int main(int count, char **words)
{
	double seconds = count == 2 ? atof(words[1]) : 0, megabytes = BLOCK / 1e6;
	if (seconds <= 0) {
		fprintf(stderr, "usage: gmssl_speed SECONDS\n");
		return 2;
	}
	memset(digest, 7, sizeof(digest));
	memset(block, 9, sizeof(block));
	sm4_set_encrypt_key(&encrypting, content_key);
	sm4_set_decrypt_key(&decrypting, content_key);
	if (sm2_key_generate(&key) != 1 || sign() != 1 || encrypt() != 1) {
		fprintf(stderr, "gmssl_speed: no key\n");
		return 1;
	}
	return measure("sign", sign, seconds, 1) || measure("verify", verify, seconds, 1)
		|| measure("encrypt", encrypt, seconds, 1) || measure("decrypt", decrypt, seconds, 1)
		|| measure("sm3", sm3, seconds, megabytes) || measure("sm4-cbc encrypt", sm4_encrypting, seconds, megabytes)
		|| measure("sm4-cbc decrypt", sm4_decrypting, seconds, megabytes);
}
