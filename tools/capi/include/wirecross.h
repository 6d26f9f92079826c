/* One book of the wirecross matching engine, for harnesses written in C or anything that calls C.
 * docs/c-abi.md explains it. One thread at a time; every function returns a WX_ code. */
#ifndef WIRECROSS_H
#define WIRECROSS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WX_VERSION 1u

enum {
    WX_OK = 0,
    WX_NULL = -1,      /* a pointer is null */
    WX_INVALID = -2,   /* a value is out of its range */
    WX_NO_MEMORY = -3, /* no memory for the book */
    WX_BUSY = -4,      /* called from inside the callback */
    WX_INTERNAL = -5,  /* a fault of ours: the book can only be freed */
    WX_EMPTY = -6,     /* that side of the book is empty */
    WX_UNALIGNED = -7  /* a pointer is not aligned as its type demands */
};

enum { WX_BUY = 0, WX_SELL = 1 };
enum { WX_KIND_NEW = 1, WX_KIND_CANCEL = 2, WX_KIND_MODIFY = 3 };
enum {
    WX_ACCEPTED = 1, /* a new order was taken */
    WX_FILL = 2,     /* `id` (arriving) and `other` (resting) traded `quantity` at `price` */
    WX_CANCELED = 3, /* `quantity` left: by request, or the rest of an IOC order */
    WX_MODIFIED = 4, /* a modify was taken */
    WX_REJECTED = 5  /* nothing changed: `reason` */
};

/* Reasons of a rejection. */
enum {
    WX_REASON_QUANTITY = 6,  /* 0, or above 999999 together with what traded before */
    WX_REASON_PRICE = 7,     /* below 1 or above 19999999 ticks */
    WX_REASON_DUPLICATE = 8, /* an order with this id is live */
    WX_REASON_UNKNOWN = 9,   /* no order with this id is live */
    WX_REASON_ORDERS = 10,   /* more orders than the limits say */
    WX_REASON_PRICES = 11,   /* more price groups than the limits say */
    WX_REASON_FIELD = 12     /* kind, side, ioc or id is out of its range */
};

typedef struct wx_book wx_book;

/* What a book has room for; all memory is taken when it is made. */
typedef struct {
    uint32_t orders;       /* orders that rest at the same time */
    uint32_t price_groups; /* aligned groups of 64 ticks with an order in them */
} wx_limits;

typedef struct {
    uint64_t id;
    int64_t price;     /* ticks, 1 to 19999999 */
    uint32_t quantity; /* of a modify: units that shall be open */
    uint8_t kind;      /* WX_KIND_ */
    uint8_t side;      /* WX_BUY, WX_SELL: of a new order */
    uint8_t ioc;       /* 1 for immediate-or-cancel: of a new order */
    uint8_t zero;
} wx_message;

typedef struct {
    uint64_t message; /* number of the message, from 1 */
    uint64_t id;
    uint64_t other;
    int64_t price;
    uint32_t quantity;
    uint32_t left; /* of the resting order, after a fill */
    uint8_t kind;
    uint8_t side; /* of the order `id`: in WX_ACCEPTED and WX_FILL */
    uint8_t reason;
    uint8_t zero[5];
} wx_report;

typedef struct {
    int64_t price;
    uint64_t quantity;
    uint64_t orders; /* wx_best leaves it 0 */
} wx_depth;

/* Takes reports in order. The array lives until the callback returns. */
typedef void (*wx_on_reports)(void *context, const wx_report *reports, size_t count);

uint32_t wx_version(void);
int32_t wx_book_new(const wx_limits *limits, wx_on_reports on, void *context, wx_book **book);
int32_t wx_book_free(wx_book *book);
int32_t wx_new(wx_book *book, uint64_t id, uint8_t side, int64_t price, uint32_t quantity,
               uint8_t ioc);
int32_t wx_cancel(wx_book *book, uint64_t id);
int32_t wx_modify(wx_book *book, uint64_t id, int64_t price, uint32_t quantity);
/* Many messages in their order; later ones are looked at early only to warm the caches. */
int32_t wx_apply(wx_book *book, const wx_message *messages, size_t count);
/* Reports wait, at most 256 of them, until this is called. */
int32_t wx_flush(wx_book *book);
int32_t wx_best(const wx_book *book, uint8_t side, wx_depth *best);
/* Walks the side: not for the timed part of a harness. */
int32_t wx_depth_at(const wx_book *book, uint8_t side, int64_t price, wx_depth *depth);
int32_t wx_live_orders(const wx_book *book, uint32_t *count);

#ifdef __cplusplus
}
#endif

#endif
