// A CUDA driver without a device: memory is the host's, kernels are found in the PTX by name and never run. What is
// launched goes to the standard error, one name per line.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MULTIPROCESSORS = 16, CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76, NOT_FOUND = 500 };
typedef unsigned long long address;
typedef void* handle;
static int token;  // what contexts, streams and events point to

#define SUCCEEDS(name) \
    int name(void)     \
    {                  \
        return 0;      \
    }
#define MAKES_HANDLE(name) \
    int name(handle* out)  \
    {                      \
        *out = &token;     \
        return 0;          \
    }
#define COPIES(name)                             \
    int name(address to, address from, size_t n) \
    {                                            \
        memcpy((void*)to, (const void*)from, n); \
        return 0;                                \
    }

SUCCEEDS(cuInit)
SUCCEEDS(cuCtxDestroy_v2)
SUCCEEDS(cuCtxEnablePeerAccess)
SUCCEEDS(cuCtxPushCurrent_v2)
SUCCEEDS(cuCtxSetCacheConfig)
SUCCEEDS(cuCtxSetCurrent)
SUCCEEDS(cuCtxSynchronize)
SUCCEEDS(cuEventDestroy_v2)
SUCCEEDS(cuEventRecord)
SUCCEEDS(cuEventSynchronize)
SUCCEEDS(cuMemFreeHost)
SUCCEEDS(cuMemFree_v2)
SUCCEEDS(cuProfilerStop)
SUCCEEDS(cuStreamDestroy_v2)
SUCCEEDS(cuStreamSynchronize)
SUCCEEDS(cuStreamWaitEvent)
MAKES_HANDLE(cuCtxCreate_v4)
MAKES_HANDLE(cuCtxPopCurrent_v2)
MAKES_HANDLE(cuEventCreate)
MAKES_HANDLE(cuStreamCreate)
COPIES(cuMemcpyAsync)
COPIES(cuMemcpyDtoDAsync_v2)
COPIES(cuMemcpyDtoHAsync_v2)
COPIES(cuMemcpyDtoH_v2)
COPIES(cuMemcpyHtoDAsync_v2)
COPIES(cuMemcpyHtoD_v2)

static int number(int* out, int value)
{
    *out = value;
    return 0;
}

int cuDeviceGet(int* out)
{
    return number(out, 0);
}

int cuDeviceGetCount(int* out)
{
    return number(out, 1);
}

int cuDriverGetVersion(int* out)
{
    return number(out, 13000);
}

int cuDeviceCanAccessPeer(int* out)
{
    return number(out, 0);
}

int cuFuncGetAttribute(int* out)
{
    return number(out, 1024);
}

int cuDeviceGetAttribute(int* out, int attribute)
{
    int major = attribute == CAPABILITY_MAJOR, minor = attribute == CAPABILITY_MINOR;
    return number(out, major ? 9 : minor ? 0 : attribute == MULTIPROCESSORS ? 132 : 1024);
}

int cuDeviceGetName(char* out, int size)
{
    snprintf(out, size, "no device");
    return 0;
}

// NVRTC asks for it where there is a driver.
int cuGetExportTable(void)
{
    return NOT_FOUND;
}

int cuGetErrorName(int error, const char** out)
{
    *out = error == NOT_FOUND ? "CUDA_ERROR_NOT_FOUND" : "an error";
    return 0;
}

int cuMemAlloc_v2(address* out, size_t size)
{
    *out = (address)calloc(size + 1, 1);
    return 0;
}

int cuMemHostAlloc(void** out, size_t size)
{
    *out = calloc(size + 1, 1);
    return 0;
}

int cuMemHostGetDevicePointer_v2(address* out, void* host)
{
    *out = (address)host;
    return 0;
}

int cuModuleLoadDataEx(handle* out, const void* ptx)
{
    *out = strdup(ptx);
    return 0;
}

int cuModuleLoad(handle* out, const char* path)
{
    FILE* file = fopen(path, "rb");
    char* text = calloc(1 << 24, 1);
    if (!file || !text || fread(text, 1, (1 << 24) - 1, file) == 0)
        return NOT_FOUND;
    fclose(file);
    *out = text;
    return 0;
}

int cuModuleGetFunction(handle* out, handle module, const char* name)
{
    char entry[256];
    snprintf(entry, sizeof entry, ".entry %s(", name);
    *out = strdup(name);
    return strstr(module, entry) ? 0 : NOT_FOUND;
}

int cuLaunchKernel(handle function)
{
    fprintf(stderr, "launched %s\n", (const char*)function);
    return 0;
}
