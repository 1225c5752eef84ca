/* A terminal whose cryptography is libeac's (OpenPACE): PACE with a card access number, secure messaging, chip
 * authentication, and the zone read under the keys of the chip. It says each command on a line of standard output, in
 * hexadecimal, and reads the card's answer from a line of standard input; its last line is "zone HEX". What stands
 * here of our own is the framing of commands (ISO 7816-4, ICAO 9303-11). */
#include <eac/ca.h>
#include <eac/eac.h>
#include <eac/objects.h>
#include <eac/pace.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not in the headers, but in the library: keys of a session from the secret that was agreed. */
int KA_CTX_derive_keys(KA_CTX *ctx, const BUF_MEM *nonce, EVP_MD_CTX *md_ctx);
BUF_MEM *KA_CTX_generate_key(const KA_CTX *ctx, BN_CTX *bn_ctx);
int KA_CTX_compute_key(KA_CTX *ctx, const BUF_MEM *in, BN_CTX *bn_ctx);
BUF_MEM *BUF_MEM_create_init(const void *buf, size_t len);

typedef struct {
    unsigned char bytes[4096];
    size_t length;
} Bytes;

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void append(Bytes *to, const void *bytes, size_t length) {
    if (to->length + length > sizeof to->bytes) fail("too long");
    memcpy(to->bytes + to->length, bytes, length);
    to->length += length;
}

static void append_byte(Bytes *to, int byte) {
    unsigned char one = (unsigned char)byte;
    append(to, &one, 1);
}

static void append_object(Bytes *to, int tag, const void *bytes, size_t length) {
    append_byte(to, tag);
    if (length > 127) append_byte(to, 0x81);
    if (length > 255) fail("an object of over 255 bytes");
    append_byte(to, (int)length);
    append(to, bytes, length);
}

static Bytes transmit(const Bytes *command) {
    static char line[2 * 4096 + 2];
    Bytes answer = {.length = 0};
    for (size_t at = 0; at < command->length; at++) printf("%02x", command->bytes[at]);
    printf("\n");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) fail("the card is gone");
    for (size_t at = 0; line[at] && line[at] != '\n'; at += 2) {
        unsigned byte;
        if (sscanf(line + at, "%2x", &byte) != 1) fail("an answer is not hexadecimal");
        append_byte(&answer, (int)byte);
    }
    return answer;
}

/* The answer's data; its status must be 9000. */
static Bytes data_of(Bytes answer, const char *what) {
    if (answer.length < 2 || answer.bytes[answer.length - 2] != 0x90 || answer.bytes[answer.length - 1] != 0) fail(what);
    answer.length -= 2;
    return answer;
}

/* The value of the first object with this tag of one byte. */
static Bytes object(const Bytes *in, int tag, const char *what) {
    size_t at = 0;
    while (at + 2 <= in->length) {
        int found = in->bytes[at++];
        size_t length = in->bytes[at++];
        if (length == 0x81 && at < in->length) length = in->bytes[at++];
        else if (length == 0x82 && at + 1 < in->length) length = (size_t)in->bytes[at] << 8 | in->bytes[at + 1], at += 2;
        if (at + length > in->length) break;
        if (found == tag) {
            Bytes value = {.length = 0};
            append(&value, in->bytes + at, length);
            return value;
        }
        at += length;
    }
    fail(what);
    exit(1);
}

static Bytes plain(int class, int ins, int p1, int p2, const Bytes *data, int answered) {
    Bytes command = {.length = 0};
    append_byte(&command, class);
    append_byte(&command, ins);
    append_byte(&command, p1);
    append_byte(&command, p2);
    if (data) {
        append_byte(&command, (int)data->length);
        append(&command, data->bytes, data->length);
    }
    if (answered) append_byte(&command, 0);
    return command;
}

static BUF_MEM *padded(const EAC_CTX *ctx, const Bytes *bytes) {
    BUF_MEM *raw = BUF_MEM_create_init(bytes->bytes, bytes->length);
    BUF_MEM *result = raw ? EAC_add_iso_pad(ctx, raw) : NULL;
    if (!result) fail("padding");
    return result;
}

/* Pads header and objects apart, as the message authentication code is over both. */
static BUF_MEM *mac_input(const EAC_CTX *ctx, const Bytes *header, const Bytes *objects) {
    Bytes input = {.length = 0};
    if (header) {
        BUF_MEM *head = padded(ctx, header);
        append(&input, head->data, head->length);
    }
    if (!objects->length) return BUF_MEM_create_init(input.bytes, input.length);
    append(&input, objects->bytes, objects->length);
    return padded(ctx, &input);
}

/* A command under the session's keys, and what came back. */
static Bytes secured(const EAC_CTX *ctx, int ins, int p1, int p2, const Bytes *data, int answered, const char *what) {
    Bytes header = {.length = 0}, objects = {.length = 0}, answer, content, cipher, result = {.length = 0};
    if (!EAC_increment_ssc(ctx)) fail("counter");
    append_byte(&header, 0x0C);
    append_byte(&header, ins);
    append_byte(&header, p1);
    append_byte(&header, p2);
    if (data) {
        BUF_MEM *sealed = EAC_encrypt(ctx, padded(ctx, data));
        Bytes value = {.length = 0};
        if (!sealed) fail("encryption");
        append_byte(&value, 1);
        append(&value, sealed->data, sealed->length);
        append_object(&objects, 0x87, value.bytes, value.length);
    }
    if (answered) append_object(&objects, 0x97, "\0", 1);
    BUF_MEM *mac = EAC_authenticate(ctx, mac_input(ctx, &header, &objects));
    if (!mac) fail("authentication code");
    append_object(&objects, 0x8E, mac->data, mac->length);
    Bytes command = plain(0x0C, ins, p1, p2, &objects, 1);
    answer = data_of(transmit(&command), what);

    if (!EAC_increment_ssc(ctx)) fail("counter");
    Bytes code = object(&answer, 0x8E, "an answer without a code");
    Bytes covered = answer;
    covered.length = answer.length - code.length - 2;
    BUF_MEM *expected = BUF_MEM_create_init(code.bytes, code.length);
    if (!EAC_verify_authentication(ctx, mac_input(ctx, NULL, &covered), expected)) fail("the answer's code is wrong");
    Bytes status = object(&answer, 0x99, "an answer without a status");
    if (status.length != 2 || status.bytes[0] != 0x90 || status.bytes[1] != 0) fail(what);
    if (covered.bytes[0] != 0x87) return result;
    content = object(&answer, 0x87, "an answer without data");
    cipher.length = 0;
    append(&cipher, content.bytes + 1, content.length - 1);
    BUF_MEM *opened = EAC_decrypt(ctx, BUF_MEM_create_init(cipher.bytes, cipher.length));
    opened = opened ? EAC_remove_iso_pad(opened) : NULL;
    if (!opened) fail("decryption");
    append(&result, opened->data, opened->length);
    return result;
}

static Bytes general(int class, int tag, const BUF_MEM *value, int wanted, const char *what) {
    Bytes inner = {.length = 0}, outer = {.length = 0};
    if (value) append_object(&inner, tag, value->data, value->length);
    append_object(&outer, 0x7C, inner.bytes, inner.length);
    Bytes command = plain(class, 0x86, 0, 0, &outer, 1);
    Bytes answer = data_of(transmit(&command), what);
    Bytes dynamic = object(&answer, 0x7C, what);
    return object(&dynamic, wanted, what);
}

static BUF_MEM *mem(const Bytes *bytes) { return BUF_MEM_create_init(bytes->bytes, bytes->length); }

static Bytes oid(int nid) {
    const ASN1_OBJECT *name = OBJ_nid2obj(nid);
    Bytes result = {.length = 0};
    if (!name) fail("an unknown protocol");
    append(&result, OBJ_get0_data(name), OBJ_length(name));
    return result;
}

static void pace(EAC_CTX *ctx, const char *can) {
    Bytes protocol = oid(ctx->pace_ctx->protocol), chosen = {.length = 0};
    append_object(&chosen, 0x80, protocol.bytes, protocol.length);
    append_object(&chosen, 0x83, "\2", 1);
    Bytes command = plain(0, 0x22, 0xC1, 0xA4, &chosen, 0);
    data_of(transmit(&command), "PACE was not begun");
    PACE_SEC *secret = PACE_SEC_new(can, strlen(can), PACE_CAN);
    Bytes nonce = general(0x10, 0, NULL, 0x80, "no nonce");
    if (!secret || !PACE_STEP2_dec_nonce(ctx, secret, mem(&nonce))) fail("the nonce was not deciphered");
    BUF_MEM *mapping = PACE_STEP3A_generate_mapping_data(ctx);
    Bytes theirs = general(0x10, 0x81, mapping, 0x82, "no mapping data");
    if (!PACE_STEP3A_map_generator(ctx, mem(&theirs))) fail("the generator was not mapped");
    BUF_MEM *ephemeral = PACE_STEP3B_generate_ephemeral_key(ctx);
    theirs = general(0x10, 0x83, ephemeral, 0x84, "no key");
    if (!PACE_STEP3B_compute_shared_secret(ctx, mem(&theirs)) || !PACE_STEP3C_derive_keys(ctx)) fail("no shared secret");
    BUF_MEM *token = PACE_STEP3D_compute_authentication_token(ctx, mem(&theirs));
    Bytes answered = general(0, 0x85, token, 0x86, "the card does not accept the number");
    if (PACE_STEP3D_verify_authentication_token(ctx, mem(&answered)) != 1) fail("the card does not know the number");
    if (!EAC_CTX_set_encryption_ctx(ctx, EAC_ID_PACE)) fail("no session");
}

/* What the data group of security infos says of chip authentication: protocol, curve, public key. */
static int chip(const Bytes *group, int *curve, Bytes *key) {
    Bytes infos = object(group, 0x6E, "no data group 14"), set = object(&infos, 0x31, "no security infos");
    size_t at = 0;
    int protocol = NID_undef;
    while (at < set.length) {
        const unsigned char *from = set.bytes + at, *read = from;
        ASN1_SEQUENCE_ANY *info = d2i_ASN1_SEQUENCE_ANY(NULL, &read, (long)(set.length - at));
        if (!info) fail("a security info is no sequence");
        at += (size_t)(read - from);
        int nid = OBJ_obj2nid(sk_ASN1_TYPE_value(info, 0)->value.object);
        if (nid == NID_id_CA_ECDH_3DES_CBC_CBC || nid == NID_id_CA_ECDH_AES_CBC_CMAC_128 ||
            nid == NID_id_CA_ECDH_AES_CBC_CMAC_192 || nid == NID_id_CA_ECDH_AES_CBC_CMAC_256)
            protocol = nid;
        if (nid != NID_id_PK_ECDH) continue;
        const ASN1_STRING *info_of_key = sk_ASN1_TYPE_value(info, 1)->value.sequence;
        const unsigned char *spki = ASN1_STRING_get0_data(info_of_key);
        EVP_PKEY *public = d2i_PUBKEY(NULL, &spki, ASN1_STRING_length(info_of_key));
        unsigned char *point = NULL;
        size_t length = public ? EVP_PKEY_get1_encoded_public_key(public, &point) : 0;
        char name[64];
        if (!length || EVP_PKEY_get_group_name(public, name, sizeof name, NULL) != 1) fail("the chip's key is no key");
        *curve = strcmp(name, "prime256v1") == 0 ? 12 : strcmp(name, "brainpoolP256r1") == 0 ? 13 : 0;
        append(key, point, length);
    }
    if (protocol == NID_undef || !*curve || !key->length) fail("nothing of chip authentication in data group 14");
    return protocol;
}

static void chip_authentication(EAC_CTX *ctx, const Bytes *group) {
    int curve = 0;
    Bytes key = {.length = 0}, chosen = {.length = 0};
    int protocol = chip(group, &curve, &key);
    Bytes name = oid(protocol);
    if (!EAC_CTX_init_ca(ctx, protocol, curve)) fail("chip authentication was not begun");
    KA_CTX *agreement = ctx->ca_ctx->ka_ctx;
    BUF_MEM *own = KA_CTX_generate_key(agreement, ctx->bn_ctx);
    if (!own) fail("no key");
    if (protocol == NID_id_CA_ECDH_3DES_CBC_CBC) {
        append_object(&chosen, 0x91, own->data, own->length);
        secured(ctx, 0x22, 0x41, 0xA6, &chosen, 0, "the chip does not take the key");
    } else {
        Bytes inner = {.length = 0}, outer = {.length = 0};
        append_object(&chosen, 0x80, name.bytes, name.length);
        secured(ctx, 0x22, 0x41, 0xA4, &chosen, 0, "the chip does not take the protocol");
        append_object(&inner, 0x80, own->data, own->length);
        append_object(&outer, 0x7C, inner.bytes, inner.length);
        secured(ctx, 0x86, 0, 0, &outer, 1, "the chip does not take the key");
    }
    /* Without a nonce: ICAO 9303-11 knows the first version of the protocol only. */
    if (!KA_CTX_compute_key(agreement, mem(&key), ctx->bn_ctx) || !KA_CTX_derive_keys(agreement, NULL, ctx->md_ctx))
        fail("no shared secret with the chip");
    if (!EAC_CTX_set_encryption_ctx(ctx, EAC_ID_CA) || !EAC_reset_ssc(ctx)) fail("no session with the chip");
}

static Bytes read_file(const EAC_CTX *ctx, int identifier, const char *what) {
    Bytes name = {.length = 0}, file = {.length = 0};
    append_byte(&name, 1);
    append_byte(&name, identifier);
    secured(ctx, 0xA4, 2, 0x0C, &name, 0, what);
    Bytes head = secured(ctx, 0xB0, 0, 0, NULL, 1, what);
    append(&file, head.bytes, head.length);
    if (file.length < 4) fail(what);
    size_t whole = file.bytes[1] < 0x80    ? 2u + file.bytes[1]
                   : file.bytes[1] == 0x81 ? 3u + file.bytes[2]
                                           : 4u + ((size_t)file.bytes[2] << 8 | file.bytes[3]);
    while (file.length < whole) {
        Bytes more = secured(ctx, 0xB0, (int)(file.length >> 8), (int)(file.length & 0xFF), NULL, 1, what);
        if (!more.length) fail(what);
        append(&file, more.bytes, more.length);
    }
    return file;
}

int main(int count, char **arguments) {
    if (count != 2) fail("usage: eac CAN");
    EAC_init();
    EAC_CTX *ctx = EAC_CTX_new();
    Bytes name = {.length = 2, .bytes = {1, 0x1C}};
    Bytes command = plain(0, 0xA4, 2, 0x0C, &name, 0);
    data_of(transmit(&command), "EF.CardAccess is not there");
    command = plain(0, 0xB0, 0, 0, NULL, 1);
    Bytes access = data_of(transmit(&command), "EF.CardAccess was not read");
    if (!ctx || !EAC_CTX_init_ef_cardaccess(access.bytes, access.length, ctx)) fail("EF.CardAccess is not understood");
    pace(ctx, arguments[1]);
    Bytes application = {.length = 7, .bytes = {0xA0, 0, 0, 2, 0x47, 0x10, 1}};
    secured(ctx, 0xA4, 4, 0x0C, &application, 0, "the application is not there");
    Bytes group = read_file(ctx, 14, "data group 14 was not read");
    chip_authentication(ctx, &group);
    Bytes zone = read_file(ctx, 1, "data group 1 was not read under the chip's keys");
    printf("zone ");
    for (size_t at = 0; at < zone.length; at++) printf("%02x", zone.bytes[at]);
    printf("\n");
    return 0;
}
