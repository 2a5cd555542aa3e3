// OpenSSL's headers, plus functions for what they offer as macros only, which Swift cannot import.
#ifndef HOLDFAST_COPENSSL_SHIM_H
#define HOLDFAST_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// Both give the version the way OpenSSL counts it: TLS1_2_VERSION and the like. 1 on success.
static inline int holdfast_SSL_CTX_set_min_proto_version(SSL_CTX *ctx, int version) {
    return (int)SSL_CTX_set_min_proto_version(ctx, version);
}

static inline int holdfast_SSL_CTX_set_max_proto_version(SSL_CTX *ctx, int version) {
    return (int)SSL_CTX_set_max_proto_version(ctx, version);
}

static inline void holdfast_SSL_CTX_set_mode(SSL_CTX *ctx, long mode) { (void)SSL_CTX_set_mode(ctx, mode); }

static inline void holdfast_SSL_CTX_set_session_cache_mode(SSL_CTX *ctx, long mode) {
    (void)SSL_CTX_set_session_cache_mode(ctx, mode);
}

// Takes over the certificate on success, which is 1.
static inline int holdfast_SSL_CTX_add0_chain_cert(SSL_CTX *ctx, X509 *certificate) {
    return (int)SSL_CTX_add0_chain_cert(ctx, certificate);
}

// Copies the name. 1 on success, 0 when it is longer than 255 bytes or there is no memory.
static inline int holdfast_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

static inline void holdfast_BIO_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }

static inline void holdfast_BIO_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }

// The stack macros for GENERAL_NAME cast function pointers, which Swift does not import either.
static inline int holdfast_GENERAL_NAMES_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

static inline const GENERAL_NAME *holdfast_GENERAL_NAMES_at(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

// The same for X509. The new certificate takes the place, and the reference, of the one that stood there.
static inline int holdfast_sk_X509_num(const STACK_OF(X509) *stack) { return sk_X509_num(stack); }

static inline X509 *holdfast_sk_X509_value(const STACK_OF(X509) *stack, int index) {
    return sk_X509_value(stack, index);
}

static inline void holdfast_sk_X509_set(STACK_OF(X509) *stack, int index, X509 *certificate) {
    (void)sk_X509_set(stack, index, certificate);
}

// The same for X509_INFO, whose stack is freed together with what it holds.
static inline int holdfast_sk_X509_INFO_num(const STACK_OF(X509_INFO) *stack) { return sk_X509_INFO_num(stack); }

static inline const X509_INFO *holdfast_sk_X509_INFO_value(const STACK_OF(X509_INFO) *stack, int index) {
    return sk_X509_INFO_value(stack, index);
}

static inline void holdfast_sk_X509_INFO_free(STACK_OF(X509_INFO) *stack) {
    sk_X509_INFO_pop_free(stack, X509_INFO_free);
}

// The parts of the union inside GENERAL_NAME, under names of their own: NULL when the name is of another type.
static inline const ASN1_IA5STRING *holdfast_GENERAL_NAME_dns(const GENERAL_NAME *name) {
    return name->type == GEN_DNS ? name->d.dNSName : NULL;
}

static inline const OTHERNAME *holdfast_GENERAL_NAME_other(const GENERAL_NAME *name) {
    return name->type == GEN_OTHERNAME ? name->d.otherName : NULL;
}

// The characters of an otherName whose value has the ASN.1 type asked for (V_ASN1_IA5STRING, V_ASN1_UTF8STRING), else NULL.
static inline const ASN1_STRING *holdfast_OTHERNAME_string(const OTHERNAME *name, int type) {
    return name->value != NULL && name->value->type == type ? name->value->value.asn1_string : NULL;
}

#endif
