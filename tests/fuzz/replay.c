/* SPDX-License-Identifier: Apache-2.0 */
/* Plays the kept inputs of one fuzzer again, without libFuzzer: those in
 * tests/fuzz/corpus/NAME, or the files that are named. NAME is the program's. */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

static void play(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0, n;

    FUZZ_MUST(f);
    do { /* exactly as large as the file, so that a sanitizer sees each byte too many */
        data = realloc(data, size + 4096);
        FUZZ_MUST(data);
        n = fread(data + size, 1, 4096, f);
        size += n;
    } while (n > 0);
    fclose(f);
    data = realloc(data, size ? size : 1);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

int main(int argc, char **argv)
{
    const char *srcdir = getenv("srcdir"), *slash = strrchr(argv[0], '/');
    char folder[512], path[1024];
    struct dirent *e;
    int n = 0;
    DIR *d;

    for (int i = 1; i < argc; i++)
        play(argv[i]);
    if (argc > 1)
        return 0;
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
             slash ? slash + 1 : argv[0]);
    d = opendir(folder);
    if (!d)
        perror(folder);
    while (d && (e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        fprintf(stderr, "%s\n", path); /* the last one of the log is the bad one */
        play(path);
        n++;
    }
    if (d)
        closedir(d);
    printf("%d inputs from %s\n", n, folder);
    return n > 0 ? 0 : 1; /* a test that tests nothing is none */
}
