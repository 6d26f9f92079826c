/* Drives one book through the C interface and checks every report; says where it went wrong. */
#include "wirecross.h"

#include <stdio.h>
#include <string.h>

static wx_report got[4096];
static size_t got_count;
static wx_book *book;
static int32_t inside = 1;

static void on_reports(void *context, const wx_report *reports, size_t count) {
    *(int *)context += 1;
    inside = wx_cancel(book, 1);
    for (size_t i = 0; i < count && got_count < 4096; i++) got[got_count++] = reports[i];
}

static int fail(int line, const char *what) {
    fprintf(stderr, "harness.c:%d: %s\n", line, what);
    return 1;
}
#define CHECK(what) do { if (!(what)) return fail(__LINE__, #what); } while (0)

static int is(size_t at, uint8_t kind, uint64_t id, uint64_t other, int64_t price, uint32_t qty) {
    return at < got_count && got[at].kind == kind && got[at].id == id && got[at].other == other &&
           got[at].price == price && got[at].quantity == qty;
}

static int errors(void) {
    wx_limits none = {0, 10}, too_many = {UINT32_MAX, 10};
    wx_book *other = NULL;
    wx_depth depth;
    CHECK(wx_book_new(NULL, NULL, NULL, &other) == WX_NULL);
    CHECK(wx_book_new(&none, NULL, NULL, NULL) == WX_NULL);
    CHECK(wx_book_new(&none, NULL, NULL, &other) == WX_INVALID && other == NULL);
    CHECK(wx_book_new(&too_many, NULL, NULL, &other) == WX_INVALID && other == NULL);
    CHECK(wx_new(NULL, 1, WX_BUY, 1, 1, 0) == WX_NULL);
    CHECK(wx_flush(NULL) == WX_NULL && wx_book_free(NULL) == WX_OK);
    CHECK(wx_apply(book, NULL, 3) == WX_NULL && wx_apply(book, NULL, 0) == WX_OK);
    CHECK(wx_best(book, 2, &depth) == WX_INVALID && wx_best(book, WX_BUY, NULL) == WX_NULL);
    CHECK(wx_best(book, WX_BUY, (wx_depth *)((char *)&depth + 1)) == WX_UNALIGNED);
    CHECK(wx_best(book, WX_BUY, &depth) == WX_EMPTY);
    return 0;
}

static int trades(void) {
    wx_message more[3];
    wx_depth depth;
    uint32_t live = 0;
    CHECK(wx_new(book, 7, WX_SELL, 101, 5, 0) == WX_OK);
    CHECK(wx_new(book, 3, WX_SELL, 100, 4, 0) == WX_OK);
    CHECK(wx_new(book, 9, WX_SELL, 100, 6, 0) == WX_OK);
    CHECK(wx_new(book, 3, WX_SELL, 100, 6, 0) == WX_OK);
    CHECK(wx_modify(book, 9, 100, 5) == WX_OK);
    CHECK(wx_new(book, 2, WX_BUY, 101, 12, 1) == WX_OK);
    CHECK(wx_new(book, 4, WX_BUY, 99, 10, 0) == WX_OK);
    CHECK(wx_modify(book, 4, 101, 1) == WX_OK);
    CHECK(wx_cancel(book, 4) == WX_OK);
    CHECK(got_count == 0);
    CHECK(wx_flush(book) == WX_OK && inside == WX_BUSY);
    CHECK(got_count == 13);
    CHECK(is(0, WX_ACCEPTED, 7, 0, 101, 5) && got[0].side == WX_SELL && got[0].message == 1);
    CHECK(is(1, WX_ACCEPTED, 3, 0, 100, 4) && is(2, WX_ACCEPTED, 9, 0, 100, 6));
    CHECK(is(3, WX_REJECTED, 3, 0, 0, 0) && got[3].reason == WX_REASON_DUPLICATE);
    CHECK(is(4, WX_MODIFIED, 9, 0, 100, 5));
    CHECK(is(5, WX_ACCEPTED, 2, 0, 101, 12));
    CHECK(is(6, WX_FILL, 2, 3, 100, 4) && got[6].left == 0 && got[6].side == WX_BUY);
    CHECK(is(7, WX_FILL, 2, 9, 100, 5) && got[7].left == 0);
    CHECK(is(8, WX_FILL, 2, 7, 101, 3) && got[8].left == 2);
    CHECK(is(9, WX_ACCEPTED, 4, 0, 99, 10));
    CHECK(is(10, WX_MODIFIED, 4, 0, 101, 1) && is(11, WX_FILL, 4, 7, 101, 1));
    CHECK(is(12, WX_REJECTED, 4, 0, 0, 0) && got[12].reason == WX_REASON_UNKNOWN);
    CHECK(wx_best(book, WX_SELL, &depth) == WX_OK && depth.price == 101 && depth.quantity == 1);
    CHECK(wx_live_orders(book, &live) == WX_OK && live == 1);

    memset(more, 0, sizeof more);
    more[0].kind = WX_KIND_NEW, more[0].id = 2, more[0].price = 90, more[0].quantity = 8;
    more[1].kind = WX_KIND_NEW, more[1].id = 4, more[1].price = 90, more[1].quantity = 2;
    more[2].kind = WX_KIND_MODIFY, more[2].id = 2, more[2].price = 90, more[2].quantity = 9;
    CHECK(wx_apply(book, more, 3) == WX_OK && wx_flush(book) == WX_OK && got_count == 16);
    CHECK(wx_depth_at(book, WX_BUY, 90, &depth) == WX_OK);
    CHECK(depth.price == 90 && depth.quantity == 11 && depth.orders == 2);
    /* More units cost the place in the queue: order 4 trades first now. */
    CHECK(wx_new(book, 5, WX_SELL, 90, 3, 1) == WX_OK && wx_flush(book) == WX_OK);
    CHECK(is(17, WX_FILL, 5, 4, 90, 2) && is(18, WX_FILL, 5, 2, 90, 1));
    return 0;
}

static int refusals(void) {
    const struct {
        uint64_t id;
        int64_t price;
        uint32_t quantity;
        uint8_t side, ioc, reason;
    } bad[] = {
        {UINT32_MAX, 5, 5, 0, 0, WX_REASON_FIELD}, {UINT64_MAX, 5, 5, 0, 0, WX_REASON_FIELD},
        {8, 5, 5, 2, 0, WX_REASON_FIELD},    {8, 5, 5, 0, 2, WX_REASON_FIELD},
        {8, 0, 5, 0, 0, WX_REASON_PRICE},    {8, INT64_MIN, 5, 0, 0, WX_REASON_PRICE},
        {8, 20000000, 5, 0, 0, WX_REASON_PRICE}, {8, 5, 0, 0, 0, WX_REASON_QUANTITY},
        {8, 5, 1000000, 0, 0, WX_REASON_QUANTITY},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        got_count = 0;
        CHECK(wx_new(book, bad[i].id, bad[i].side, bad[i].price, bad[i].quantity, bad[i].ioc) ==
              WX_OK);
        CHECK(wx_flush(book) == WX_OK && got_count == 1);
        CHECK(got[0].kind == WX_REJECTED && got[0].reason == bad[i].reason);
    }
    got_count = 0;
    CHECK(wx_modify(book, 2, 90, 0) == WX_OK && wx_modify(book, 2, 90, UINT32_MAX) == WX_OK);
    CHECK(wx_modify(book, 77, 90, 1) == WX_OK && wx_cancel(book, UINT64_MAX) == WX_OK);
    CHECK(wx_flush(book) == WX_OK && got_count == 4);
    CHECK(got[0].reason == WX_REASON_QUANTITY && got[1].reason == WX_REASON_QUANTITY);
    CHECK(got[2].reason == WX_REASON_UNKNOWN && got[3].reason == WX_REASON_UNKNOWN);
    return 0;
}

int main(void) {
    wx_limits limits = {50, 16};
    int calls = 0;
    CHECK(wx_version() == WX_VERSION);
    CHECK(wx_book_new(&limits, on_reports, &calls, &book) == WX_OK && book != NULL);
    if (errors() || trades() || refusals()) return 1;
    /* More reports than wait at once: none is lost. */
    got_count = 0;
    for (int i = 0; i < 300; i++) CHECK(wx_cancel(book, 50) == WX_OK);
    CHECK(got_count == 256 && wx_flush(book) == WX_OK && got_count == 300 && calls > 3);
    CHECK(wx_book_free(book) == WX_OK);
    puts("harness: all checks passed");
    return 0;
}
