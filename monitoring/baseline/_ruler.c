/* Numbers onto bins in one pass over each, with their moments: what `ruler.py` and `moments.py` do in some twenty.

Counts are those of a binary search to the last one. Sums go by four lanes whatever the processor, so that they are
the same on every machine; they differ from numpy's, which adds in pairs, by some units in the last place.

Source of the merge: Chan, Golub & LeVeque, Updating formulae and a pairwise algorithm for computing sample variances
(1979). */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* Values at once: as float64 they stay in the processor's first cache. */
#define BLOCK 1024
#define LANES 4
/* Counts are kept twice, so that equal neighbours do not wait for each other. */
#define COPIES 2
#define MOST_PLACES 256
#define MOST_CELLS 4096

/* The same code for wider registers, chosen when the module is loaded. Nothing is fused, so results stay the same. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t mask __attribute__((vector_size(LANES * sizeof(int64_t))));
typedef int32_t codes __attribute__((vector_size(LANES * sizeof(int32_t))));

typedef struct {
    const uint16_t *before; /* of each cell: how many edges lie below all of it */
    const double *edges;    /* NaN behind the last */
    double first, scale;    /* a value's cell is (value - first) * scale + 1, cut off at 0 and `last` */
    int last;               /* the last cell; 0 where none were laid out, and edges are searched */
    int many;               /* edges */
} Ruler;

typedef struct {
    int64_t missing, finite, infinite, zeros;
    double mean, squares, least, greatest;
} Moments;

static void merge(Moments *into, int64_t finite, double mean, double squares)
{
    if (!finite)
        return;
    int64_t all = into->finite + finite;
    double share = (double)finite / (double)all, apart = mean - into->mean;
    into->squares += squares + apart * apart * (double)into->finite * share;
    into->mean = share < 1.0 ? into->mean * (1.0 - share) + mean * share : mean;
    into->finite = all;
}

#define AT(values, i) (*(const lanes *)((values) + (i)))
#define PICK(condition, value) ((lanes)((condition) & (mask)(value)))

/* `values` [BLOCK], NaN where there is none; those behind the last are NaN as well. */
WIDE static void describe(const double *values, Moments *told)
{
    const lanes infinity = {INFINITY, INFINITY, INFINITY, INFINITY};
    lanes least = infinity, greatest = -infinity, total = {0}, squares = {0};
    mask zeros = {0}, finite = {0}, there = {0};
    for (int i = 0; i < BLOCK; i += LANES) {
        lanes x = AT(values, i);
        mask known = (x - x) == 0.0;
        mask lower = x < least, higher = x > greatest;
        least = (lanes)((lower & (mask)x) | (~lower & (mask)least));
        greatest = (lanes)((higher & (mask)x) | (~higher & (mask)greatest));
        total += PICK(known, x);
        finite -= known;
        zeros -= x == 0.0;
        there -= x == x;
    }
    int64_t present = 0, count = 0;
    double sum = 0.0, off = 0.0;
    for (int j = 0; j < LANES; j++) {
        told->least = least[j] < told->least ? least[j] : told->least;
        told->greatest = greatest[j] > told->greatest ? greatest[j] : told->greatest;
        told->zeros += zeros[j];
        present += there[j];
        count += finite[j];
        sum += total[j];
    }
    told->infinite += present - count;
    if (!count)
        return;
    double mean = sum / (double)count;
    for (int i = 0; i < BLOCK; i += LANES) {
        lanes x = AT(values, i);
        lanes apart = PICK((x - x) == 0.0, x - mean);
        squares += apart * apart;
    }
    for (int j = 0; j < LANES; j++)
        off += squares[j];
    merge(told, count, mean, off);
}

/* How many of `values` [BLOCK] are NaN. */
WIDE static int64_t absent(const double *values)
{
    mask found = {0};
    int64_t count = 0;
    for (int i = 0; i < BLOCK; i += LANES)
        found -= AT(values, i) != AT(values, i);
    for (int j = 0; j < LANES; j++)
        count += found[j];
    return count;
}

/* The cell of each of `values` [BLOCK]; of NaN the first. Monotone, rounding included. */
WIDE static void place(const double *values, const Ruler *ruler, int32_t *cells)
{
    double first = ruler->first, scale = ruler->scale;
    lanes last = (lanes){0} + (double)ruler->last;
    for (int i = 0; i < BLOCK; i += LANES) {
        lanes x = (AT(values, i) - first) * scale + 1.0;
        x = PICK(x > 0.0, x);
        mask over = x > last;
        x = (lanes)((over & (mask)last) | (~over & (mask)x));
        codes found = __builtin_convertvector(x, codes);
        memcpy(cells + i, &found, sizeof found);
    }
}

static inline unsigned search(const Ruler *ruler, double value)
{
    unsigned low = 0, high = (unsigned)ruler->many;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (value >= ruler->edges[middle])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What values come to, by cell and by place. */
typedef struct {
    uint32_t cells[COPIES][MOST_CELLS], places[MOST_PLACES];
    uint8_t crowded[MOST_CELLS]; /* whether an edge lies in the cell, so that it does not say the place */
} Tally;

/* Count `values` [BLOCK], the first `many` of them, by the cell; where an edge lies in it, by the place. */
static void count_cells(const double *values, int many, const Ruler *ruler, Tally *tally)
{
    int32_t cells[BLOCK], doubtful[BLOCK];
    int doubts = 0;
    place(values, ruler, cells);
    for (int i = 0; i < many; i++) {
        tally->cells[i % COPIES][cells[i]]++;
        doubtful[doubts] = i;
        doubts += tally->crowded[cells[i]];
    }
    for (int i = 0; i < doubts; i++) {
        double value = values[doubtful[i]];
        unsigned at = ruler->before[cells[doubtful[i]]];
        while (value >= ruler->edges[at])
            at++;
        tally->places[at]++;
    }
}

#define CONVERT(type)                                                                                                  \
    for (Py_ssize_t i = 0; i < count; i++)                                                                             \
        into[i] = (double)((const type *)data)[at + i];                                                                \
    return 0

/* Some numbers of any type as float64. -1 for a type that is none of these. */
WIDE static int convert(const void *data, char type, Py_ssize_t at, Py_ssize_t count, double *into)
{
    switch (type) {
    case 'f': CONVERT(float);
    case 'd': CONVERT(double);
    case 'b': CONVERT(int8_t);
    case 'h': CONVERT(int16_t);
    case 'i': CONVERT(int32_t);
    case 'q': CONVERT(int64_t);
    case 'B': CONVERT(uint8_t);
    case 'H': CONVERT(uint16_t);
    case 'I': CONVERT(uint32_t);
    default: return -1;
    }
}

/* NaN where the bitmap says that there is no value. */
static void strike(const uint8_t *valid, Py_ssize_t at, Py_ssize_t count, double *values)
{
    Py_ssize_t i = 0;
    while (i < count) {
        Py_ssize_t bit = at + i;
        if (bit % 8 == 0 && count - i >= 8 && valid[bit / 8] == 0xFF) {
            i += 8;
            continue;
        }
        if (!(valid[bit / 8] >> (bit % 8) & 1))
            values[i] = NAN;
        i++;
    }
}

static Py_ssize_t width(char type)
{
    switch (type) {
    case 'b': case 'B': return 1;
    case 'h': case 'H': return 2;
    case 'f': case 'i': case 'I': return 4;
    default: return 8;
    }
}

static int fits(const Ruler *ruler, const Py_buffer *before, const Py_buffer *edges)
{
    return ruler->last >= 0 && ruler->last < MOST_CELLS &&
           before->len >= (ruler->last + 1) * (Py_ssize_t)sizeof(uint16_t) &&
           edges->len >= (Py_ssize_t)sizeof(double) && isnan(ruler->edges[edges->len / sizeof(double) - 1]);
}

static PyObject *count(PyObject *self, PyObject *arguments)
{
    Py_buffer data, valid, before, edges, counts;
    Py_ssize_t offset, length;
    int type, described;
    Ruler ruler;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "y*z*Cnny*y*ddiw*p", &data, &valid, &type, &offset, &length, &before, &edges,
                          &ruler.first, &ruler.scale, &ruler.last, &counts, &described))
        return NULL;
    ruler.before = before.buf;
    ruler.edges = edges.buf;
    PyObject *result = NULL;
    Py_ssize_t places = edges.len / (Py_ssize_t)sizeof(double);
    ruler.many = (int)places - 1;
    if (offset < 0 || length < 0 || length > INT32_MAX || !fits(&ruler, &before, &edges) || places > MOST_PLACES ||
        counts.len < places * (Py_ssize_t)sizeof(int64_t) || data.len / width((char)type) < offset + length ||
        (valid.buf && valid.len < (offset + length + 7) / 8)) {
        PyErr_SetString(PyExc_ValueError, "buffers do not hold what they are said to hold");
        goto done;
    }
    Tally tally;
    memset(tally.places, 0, sizeof tally.places);
    if (ruler.last)
        memset(tally.cells, 0, sizeof tally.cells);
    tally.crowded[ruler.last] = 0;
    unsigned most = 0;
    for (int cell = 0; cell < ruler.last; cell++) {
        tally.crowded[cell] = ruler.before[cell] != ruler.before[cell + 1];
        most = ruler.before[cell] > most ? ruler.before[cell] : most;
    }
    if (most > (unsigned)ruler.many || ruler.before[ruler.last] > ruler.many) {
        PyErr_SetString(PyExc_ValueError, "cells lie behind more edges than there are");
        goto done;
    }
    double values[BLOCK] __attribute__((aligned(64)));
    Moments told = {0, 0, 0, 0, 0.0, 0.0, INFINITY, -INFINITY};
    for (Py_ssize_t first = 0; first < length; first += BLOCK) {
        int here = (int)(length - first < BLOCK ? length - first : BLOCK);
        if (convert(data.buf, (char)type, offset + first, here, values)) {
            PyErr_SetString(PyExc_ValueError, "a type that is not counted here");
            goto done;
        }
        if (valid.buf)
            strike(valid.buf, offset + first, here, values);
        for (int i = here; i < BLOCK; i++)
            values[i] = NAN;
        if (ruler.last) {
            count_cells(values, here, &ruler, &tally);
        } else {
            for (int i = 0; i < here; i++)
                tally.places[search(&ruler, values[i])]++;
        }
        told.missing += absent(values) - (BLOCK - here);
        if (described)
            describe(values, &told);
    }
    int64_t *found = counts.buf;
    for (int cell = 0; ruler.last && cell <= ruler.last; cell++)
        for (int copy = 0; copy < COPIES && !tally.crowded[cell]; copy++)
            found[ruler.before[cell]] += tally.cells[copy][cell];
    for (Py_ssize_t at = 0; at < places; at++)
        found[at] += tally.places[at];
    found[0] -= told.missing; /* no edge is at or below NaN */
    result = Py_BuildValue("LLLLdddd", told.missing, told.finite, told.infinite, told.zeros, told.mean, told.squares,
                           told.least, told.greatest);
done:
    PyBuffer_Release(&data);
    if (valid.obj)
        PyBuffer_Release(&valid);
    PyBuffer_Release(&before);
    PyBuffer_Release(&edges);
    PyBuffer_Release(&counts);
    return result;
}

static PyMethodDef methods[] = {
    {"count", count, METH_VARARGS,
     "count(data, valid, kind, offset, length, before, edges, first, scale, last, counts, described)\n--\n\n"
     "Add values to int64 counts; gives missing, finite, infinite, zeros, mean, squares, least, greatest."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "monitoring.baseline._ruler", "Numbers onto bins in one pass.", 0, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__ruler(void) { return PyModuleDef_Init(&module); }
