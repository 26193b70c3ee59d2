#pragma once
#include <curl/curl.h>

// Swift cannot call variadic C functions: one wrapper a kind of argument. Each names the kind that curl's manual gives
// for the option, so that a wrong pairing shows at the call.

static inline CURLcode crossfade_easy_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode crossfade_easy_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

// Strings are copied by curl, CURLOPT_POSTFIELDS (see crossfade_easy_set_pointer) excepted.
static inline CURLcode crossfade_easy_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode crossfade_easy_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, (void *)value);
}

// The list is not copied: it must live as long as the handle uses it.
static inline CURLcode crossfade_easy_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

// The folder of the authorities that this curl trusts unless it is told otherwise; NULL: it has none.
static inline const char *crossfade_default_ca_folder(void) {
    curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    return info != NULL && info->age >= CURLVERSION_SEVENTH ? info->capath : NULL;
}

typedef size_t (*crossfade_write_function)(char *data, size_t size, size_t count, void *context);

static inline CURLcode crossfade_easy_set_write(CURL *easy, crossfade_write_function function, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, function);
    if (code != CURLE_OK) return code;
    return curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
}

static inline long crossfade_easy_get_long(CURL *easy, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

static inline curl_off_t crossfade_easy_get_offset(CURL *easy, CURLINFO info) {
    curl_off_t value = 0;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

static inline void *crossfade_easy_get_private(CURL *easy) {
    char *value = NULL;
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value) == CURLE_OK ? (void *)value : NULL;
}

static inline CURLMcode crossfade_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// A finished transfer as curl_multi_info_read tells it; the union of CURLMsg is awkward from Swift.
typedef struct {
    CURL *easy;
    CURLcode result;
} crossfade_finished;

// The next finished transfer; its `easy` is NULL when there is none.
static inline crossfade_finished crossfade_multi_next_finished(CURLM *multi) {
    crossfade_finished finished = {NULL, CURLE_OK};
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        finished.easy = message->easy_handle;
        finished.result = message->data.result;
        break;
    }
    return finished;
}
