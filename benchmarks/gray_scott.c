/* Gray-Scott, explicit Euler, float32, on a torus: what a careful C programmer writes in an afternoon.
 *
 *     du/dt = Du lap(u) - u v^2 + F (1 - u)        dv/dt = Dv lap(v) + u v^2 - (F + k) v        dx = dt = 1
 *
 * gcc -O3 -march=native -mprefer-vector-width=512 -ffast-math -fopenmp gray_scott.c -o gray_scott
 * OMP_NUM_THREADS=2 ./gray_scott SIZE STEPS REPEATS [FILE]
 *
 * Prints "best median" in Gcell/s, a cell being both species once. FILE receives u and v after the first repeat.
 * Floor: 16 bytes and 24 flops a cell; within the cache the arithmetic binds, beyond it the memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__SSE__)
#include <immintrin.h>
static void flush_subnormals(void) { _mm_setcsr(_mm_getcsr() | 0x8040); } /* FTZ, DAZ: v underflows at the front */
#else
static void flush_subnormals(void) {} /* -ffast-math lets the compiler's start-up code do it */
#endif

enum { PAD = 16 }; /* floats left and right of a row: ghost cells, and rows that start on a cache line */
static const float Du = 0.16f, Dv = 0.08f, F = 0.037f, k = 0.06f;

typedef struct { float *u, *v; } Field; /* (size + 2) rows of (size + 2 PAD); row r starts at r*stride + PAD */

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void wrap(float *field, long row, long size, long stride) { /* ghost cells of a row, and the row's ghost */
    float *a = field + row * stride + PAD;
    a[-1] = a[size - 1];
    a[size] = a[0];
    if (row == 1) memcpy(a + size * stride - 1, a - 1, (size + 2) * sizeof *a);
    if (row == size) memcpy(a - size * stride - 1, a - 1, (size + 2) * sizeof *a);
}

static void step_row(const float *restrict u, const float *restrict v, float *restrict u_new, float *restrict v_new,
                     long size, long stride) {
    for (long x = 0; x < size; x++) {
        float lap_u = (u[x - stride] + u[x + stride]) + (u[x - 1] + u[x + 1]) - 4 * u[x];
        float lap_v = (v[x - stride] + v[x + stride]) + (v[x - 1] + v[x + 1]) - 4 * v[x];
        float uvv = u[x] * v[x] * v[x];
        u_new[x] = u[x] + (Du * lap_u - uvv + F * (1 - u[x]));
        v_new[x] = v[x] + (Dv * lap_v + uvv - (F + k) * v[x]);
    }
}

static void start_row(Field field, long row, long size, long stride) { /* 1, 0.01 and a square of 0.5, 0.25 */
    const long low = size * 3 / 8, high = size * 5 / 8, y = row - 1;
    for (long x = 0; x < size; x++) {
        int inside = low <= y && y < high && low <= x && x < high;
        field.u[row * stride + PAD + x] = inside ? 0.5f : 1.0f;
        field.v[row * stride + PAD + x] = inside ? 0.25f : 0.01f;
    }
}

static double run(Field a, Field b, long size, long stride, int steps) {
    double begin = 0;
#pragma omp parallel
    {
        flush_subnormals(); /* the flags belong to the thread */
#pragma omp for schedule(static)
        for (long row = 1; row <= size; row++) { /* each thread first touches the rows that it will step */
            start_row(b, row, size, stride);
            start_row(a, row, size, stride);
            wrap(a.u, row, size, stride);
            wrap(a.v, row, size, stride);
        }
#pragma omp single
        begin = seconds();
        Field from = a, to = b;
        for (int n = 0; n < steps; n++) {
#pragma omp for schedule(static)
            for (long row = 1; row <= size; row++) {
                const long at = row * stride + PAD;
                step_row(from.u + at, from.v + at, to.u + at, to.v + at, size, stride);
                wrap(to.u, row, size, stride);
                wrap(to.v, row, size, stride);
            }
            Field swap = from;
            from = to;
            to = swap;
        }
    }
    return seconds() - begin;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc < 4) return fprintf(stderr, "usage: %s SIZE STEPS REPEATS [FILE]\n", argv[0]), 2;
    const long size = atol(argv[1]), stride = size + 2 * PAD;
    const int steps = atoi(argv[2]), repeats = atoi(argv[3]);
    const size_t bytes = ((size + 2) * stride * sizeof(float) + 63) / 64 * 64;
    Field a = {aligned_alloc(64, bytes), aligned_alloc(64, bytes)};
    Field b = {aligned_alloc(64, bytes), aligned_alloc(64, bytes)};
    double rate[repeats];
    for (int r = 0; r < repeats; r++) {
        rate[r] = 1e-9 * size * size * steps / run(a, b, size, stride, steps);
        if (r == 0 && argc > 4) {
            FILE *file = fopen(argv[4], "wb");
            Field last = steps % 2 ? b : a;
            for (int species = 0; species < 2; species++)
                for (long row = 1; row <= size; row++)
                    fwrite((species ? last.v : last.u) + row * stride + PAD, sizeof(float), size, file);
            fclose(file);
        }
    }
    qsort(rate, repeats, sizeof *rate, by_value);
    printf("%.3f %.3f\n", rate[repeats - 1], rate[repeats / 2]);
}
