/* Counts numbers on bins and computes their moments in one pass: what `binning.py` and `moments.py` do in some twenty;
finds the bin of each, and sums scores as `monitoring/watches/scoring.py` does.

Counts are exactly those of a binary search. Sums use four lanes on every processor, so that they are the same on every
machine; they differ from numpy's, which adds in pairs, by some units in the last place.

Source of the sums of squares about a running mean: Chan, Golub & LeVeque, Algorithms for computing the sample
variance: analysis and recommendations (1983). */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* Values processed at once: as float64 they fit the processor's first-level cache. */
#define BLOCK 1024
#define LANES 4
/* Copies of the counts, used by lanes in turn, so that equal neighbours do not wait for each other. */
#define COPIES LANES
#define MAX_BINS 256
#define MAX_CELLS 4096

/* The same code for wider registers, chosen at load time. No operations are fused, so results are the same. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t mask __attribute__((vector_size(LANES * sizeof(int64_t))));
typedef int32_t codes __attribute__((vector_size(LANES * sizeof(int32_t))));

typedef struct {
    const uint16_t *before; /* for each cell: how many edges are below it */
    const double *edges;    /* NaN after the last */
    double first, scale;    /* a value's cell is (value - first) * scale + 1, clipped to 0 and `last` */
    int last;               /* the last cell; 0 without cells, where edges are searched */
    int many;               /* number of edges */
} Binner;

typedef struct {
    int64_t missing, finite, infinite, zeros;
    double mean, squares, least, greatest;
} Moments;

#define AT(values, i) (*(const lanes *)((values) + (i)))
#define PICK(condition, value) ((lanes)((condition) & (mask)(value)))

/* Adds `values` [BLOCK] to the moments; missing values, and those after the last, are NaN. Returns how many are not.

Distances are to the mean of the values before, or to the first value. With at least as many before as here, half of
the sum of their squares at least stays when the mean moves; else at least about one part in `BLOCK`, as the distances
are to one of the values, or to the mean of a few. So no more than three digits are lost of sixteen. */
WIDE static int64_t describe(const double *values, Moments *moments)
{
    const lanes infinity = {INFINITY, INFINITY, INFINITY, INFINITY};
    lanes least = infinity, greatest = -infinity, total = {0}, squares = {0};
    mask zeros = {0}, finite = {0}, there = {0};
    double near = moments->mean;
    for (int i = 0; !moments->finite && i < BLOCK; i++)
        if (isfinite(values[i])) {
            near = values[i];
            break;
        }
    for (int i = 0; i < BLOCK; i += LANES) {
        lanes x = AT(values, i);
        mask known = (x - x) == 0.0;
        mask lower = x < least, higher = x > greatest;
        lanes apart = PICK(known, x - near);
        least = (lanes)((lower & (mask)x) | (~lower & (mask)least));
        greatest = (lanes)((higher & (mask)x) | (~higher & (mask)greatest));
        total += apart;
        squares += apart * apart;
        finite -= known;
        zeros -= x == 0.0;
        there -= x == x;
    }
    int64_t present = 0, count = 0;
    double sum = 0.0, off = 0.0;
    for (int j = 0; j < LANES; j++) {
        moments->least = least[j] < moments->least ? least[j] : moments->least;
        moments->greatest = greatest[j] > moments->greatest ? greatest[j] : moments->greatest;
        moments->zeros += zeros[j];
        present += there[j];
        count += finite[j];
        sum += total[j];
        off += squares[j];
    }
    moments->infinite += present - count;
    moments->finite += count;
    if (count) {
        double moved = sum / (double)moments->finite, less = moved * sum;
        moments->mean = near + moved;
        moments->squares += less < off ? off - less : off < INFINITY ? 0.0 : off; /* of the largest floats infinite */
    }
    return present;
}

/* How many of `values` [BLOCK] are not NaN. */
WIDE static int64_t present(const double *values)
{
    mask found = {0};
    int64_t count = 0;
    for (int i = 0; i < BLOCK; i += LANES)
        found -= AT(values, i) == AT(values, i);
    for (int j = 0; j < LANES; j++)
        count += found[j];
    return count;
}

/* The cell of each of `values` [BLOCK]; the first for NaN. Monotone, rounding included. */
WIDE static void place(const double *values, const Binner *binner, int32_t *cells)
{
    double first = binner->first, scale = binner->scale;
    lanes last = (lanes){0} + (double)binner->last;
    for (int i = 0; i < BLOCK; i += LANES) {
        lanes x = (AT(values, i) - first) * scale + 1.0;
        x = PICK(x > 0.0, x);
        mask over = x > last;
        x = (lanes)((over & (mask)last) | (~over & (mask)x));
        codes found = __builtin_convertvector(x, codes);
        memcpy(cells + i, &found, sizeof found);
    }
}

/* How many edges are at or below a value, of which at least `low` and at most `high` are. */
static inline unsigned search(const Binner *binner, unsigned low, unsigned high, double value)
{
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (value >= binner->edges[middle])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Counts `values` [BLOCK], also those after the last, by bin. At most one edge is in a cell if `alone`. */
static void count_cells(const double *values, const Binner *binner, int alone, uint32_t places[COPIES][MAX_BINS])
{
    int32_t cells[BLOCK];
    const uint16_t *before = binner->before;
    const double *edges = binner->edges;
    place(values, binner, cells);
#define STEP(j)                                                                                                        \
    unsigned at##j = before[cells[i + j]];                                                                             \
    at##j += values[i + j] >= edges[at##j]
    for (int i = 0; alone && i < BLOCK; i += LANES) {
        STEP(0);
        STEP(1);
        STEP(2);
        STEP(3);
        places[0][at0]++;
        places[1][at1]++;
        places[2][at2]++;
        places[3][at3]++;
    }
    for (int i = 0; !alone && i < BLOCK; i++) {
        unsigned at = before[cells[i]];
        while (values[i] >= edges[at])
            at++;
        places[i % COPIES][at]++;
    }
}

#define CONVERT(type)                                                                                                  \
    for (Py_ssize_t i = 0; i < count; i++)                                                                             \
        into[i] = (double)((const type *)data)[at + i];                                                                \
    return 0

/* Numbers of one of the types as float64. -1 for any other type. */
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

/* Sets `values` [BLOCK] to NaN where the bitmap has no value; no bit after `count` of them is read. */
WIDE static void strike(const uint8_t *valid, Py_ssize_t at, Py_ssize_t count, double *values)
{
    const mask low = {1, 2, 4, 8}, high = {16, 32, 64, 128};
    int shift = (int)(at % 8);
    const uint8_t *bytes = valid + at / 8;
    for (Py_ssize_t i = 0; i < count; i += 8) {
        int bits = bytes[i / 8] >> shift;
        if (shift && shift + (count - i) > 8)
            bits |= bytes[i / 8 + 1] << (8 - shift);
        mask all = (mask){0} + bits;
        for (int half = 0; half < 2; half++) {
            mask gone = (all & (half ? high : low)) == 0; /* all ones are a NaN */
            double *here = values + i + 4 * half;
            lanes x = (lanes)((mask)AT(here, 0) | gone);
            memcpy(here, &x, sizeof x);
        }
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

static int fits(const Binner *binner, const Py_buffer *before, const Py_buffer *edges)
{
    return binner->last >= 0 && binner->last < MAX_CELLS &&
           before->len >= (binner->last + 1) * (Py_ssize_t)sizeof(uint16_t) &&
           edges->len >= (Py_ssize_t)sizeof(double) && isnan(binner->edges[edges->len / sizeof(double) - 1]);
}

static PyObject *count(PyObject *self, PyObject *arguments)
{
    Py_buffer data, valid, before, edges, counts;
    Py_ssize_t offset, length;
    int type, described;
    Binner binner;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "y*z*Cnny*y*ddiw*p", &data, &valid, &type, &offset, &length, &before, &edges,
                          &binner.first, &binner.scale, &binner.last, &counts, &described))
        return NULL;
    binner.before = before.buf;
    binner.edges = edges.buf;
    PyObject *result = NULL;
    Py_ssize_t places = edges.len / (Py_ssize_t)sizeof(double);
    binner.many = (int)places - 1;
    if (offset < 0 || length < 0 || length > INT32_MAX || !fits(&binner, &before, &edges) || places > MAX_BINS ||
        counts.len < places * (Py_ssize_t)sizeof(int64_t) || data.len / width((char)type) < offset + length ||
        (valid.buf && valid.len < (offset + length + 7) / 8)) {
        PyErr_SetString(PyExc_ValueError, "buffers do not hold what they are said to hold");
        goto done;
    }
    uint32_t tally[COPIES][MAX_BINS];
    memset(tally, 0, sizeof tally);
    int alone = 1;
    unsigned most = binner.before[binner.last];
    for (int cell = 0; cell < binner.last; cell++) {
        alone &= binner.before[cell] + 1 >= binner.before[cell + 1];
        most = binner.before[cell] > most ? binner.before[cell] : most;
    }
    if (most > (unsigned)binner.many) {
        PyErr_SetString(PyExc_ValueError, "cells lie behind more edges than there are");
        goto done;
    }
    double values[BLOCK] __attribute__((aligned(64)));
    int64_t *found = counts.buf;
    Moments moments = {0, 0, 0, 0, 0.0, 0.0, INFINITY, -INFINITY};
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
        if (binner.last)
            count_cells(values, &binner, alone, tally);
        else
            for (int i = 0; i < BLOCK; i++)
                tally[i % COPIES][search(&binner, 0, (unsigned)binner.many, values[i])]++;
        int64_t there = described ? describe(values, &moments) : present(values);
        moments.missing += here - there;
        found[0] -= BLOCK - there; /* no edge is at or below NaN */
    }
    for (Py_ssize_t at = 0; at < places; at++)
        for (int copy = 0; copy < COPIES; copy++)
            found[at] += tally[copy][at];
    result = Py_BuildValue("LLLLdddd", moments.missing, moments.finite, moments.infinite, moments.zeros, moments.mean,
                           moments.squares,
                           moments.least, moments.greatest);
done:
    PyBuffer_Release(&data);
    if (valid.obj)
        PyBuffer_Release(&valid);
    PyBuffer_Release(&before);
    PyBuffer_Release(&edges);
    PyBuffer_Release(&counts);
    return result;
}

static PyObject *places(PyObject *self, PyObject *arguments)
{
    Py_buffer data, before, edges, bins;
    Binner binner;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "y*y*y*ddiw*", &data, &before, &edges, &binner.first, &binner.scale, &binner.last,
                          &bins))
        return NULL;
    binner.before = before.buf;
    binner.edges = edges.buf;
    binner.many = (int)(edges.len / (Py_ssize_t)sizeof(double)) - 1;
    Py_ssize_t length = data.len / (Py_ssize_t)sizeof(double);
    PyObject *result = NULL;
    if (!fits(&binner, &before, &edges) || binner.many > UINT16_MAX || bins.len < length * (Py_ssize_t)sizeof(int64_t)) {
        PyErr_SetString(PyExc_ValueError, "buffers do not hold what they are said to hold");
        goto done;
    }
    for (int cell = 0; cell <= binner.last; cell++)
        if (binner.before[cell] > binner.many) {
            PyErr_SetString(PyExc_ValueError, "cells lie behind more edges than there are");
            goto done;
        }
    double values[BLOCK] __attribute__((aligned(64)));
    int32_t cells[BLOCK];
    int64_t *found = bins.buf;
    for (Py_ssize_t first = 0; first < length; first += BLOCK) {
        int here = (int)(length - first < BLOCK ? length - first : BLOCK);
        memcpy(values, (const double *)data.buf + first, (size_t)here * sizeof(double));
        for (int i = here; i < BLOCK; i++)
            values[i] = NAN;
        place(values, &binner, cells);
        for (int i = 0; i < here; i++) {
            unsigned low = binner.before[cells[i]];
            unsigned high = cells[i] < binner.last ? binner.before[cells[i] + 1] : (unsigned)binner.many;
            if (high <= low + 1) /* at most one edge is in the cell; after the last one is NaN */
                low += values[i] >= binner.edges[low];
            else
                low = search(&binner, low, high, values[i]);
            found[first + i] = low;
        }
    }
    result = Py_NewRef(Py_None);
done:
    PyBuffer_Release(&data);
    PyBuffer_Release(&before);
    PyBuffer_Release(&edges);
    PyBuffer_Release(&bins);
    return result;
}

/* The sum of `values` [length] in whole units of 2^-32, each clipped to [0, 1] and rounded to even; NaN if one is. */
WIDE static double add_up(const double *values, Py_ssize_t length)
{
    const double to_whole = 4503599627370496.0; /* 2^52: beyond it there are no fractions */
    lanes total = {0};
    mask missing = {0};
    double padded[LANES] = {0};
    for (Py_ssize_t i = 0; i < length; i += LANES) {
        lanes x;
        if (i + LANES <= length)
            memcpy(&x, values + i, sizeof x);
        else {
            memcpy(padded, values + i, (size_t)(length - i) * sizeof(double));
            memcpy(&x, padded, sizeof x);
        }
        missing |= x != x;
        mask over = x > 1.0;
        x = (lanes)((mask)PICK(x > 0.0, x) & ~over) + PICK(over, (lanes){0} + 1.0);
        total += (x * 4294967296.0 + to_whole) - to_whole;
    }
    return missing[0] | missing[1] | missing[2] | missing[3] ? NAN : total[0] + total[1] + total[2] + total[3];
}

static PyObject *fixed_point_sum(PyObject *self, PyObject *arguments)
{
    Py_buffer scores;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "y*", &scores))
        return NULL;
    double total = add_up(scores.buf, scores.len / (Py_ssize_t)sizeof(double));
    PyBuffer_Release(&scores);
    return PyFloat_FromDouble(total);
}

static PyMethodDef methods[] = {
    {"count", count, METH_VARARGS,
     "count(data, valid, kind, offset, length, before, edges, first, scale, last, counts, described)\n--\n\n"
     "Add values to int64 counts; gives missing, finite, infinite, zeros, mean, squares, least, greatest."},
    {"places", places, METH_VARARGS,
     "places(values, before, edges, first, scale, last, bins)\n--\n\nWrite the bin of each float64 to int64 bins."},
    {"fixed_point_sum", fixed_point_sum, METH_VARARGS,
     "fixed_point_sum(scores)\n--\n\nThe sum of float64 scores, clipped to [0, 1], in units of 2^-32; NaN if one is."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "monitoring.baseline._binning", "Numbers onto bins in one pass.", 0, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__binning(void) { return PyModuleDef_Init(&module); }
