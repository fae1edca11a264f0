// A fixed team of threads that share loops over numbered chunks. The calling thread is member 0.
#ifndef NNP_CPU_THREAD_POOL_H
#define NNP_CPU_THREAD_POOL_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace nnp
{

// As many threads as the process may run at once.
int available_threads();

class ThreadPool
{
public:
    explicit ThreadPool(int n_threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int size() const { return n_threads_; }

    // Calls work(chunk, thread) once for every chunk in [0, n_chunks); an exception in any thread is thrown again here.
    void run(int64_t n_chunks, const std::function<void(int64_t, int)>& work);

private:
    int n_threads_;
    long process_ = 0;  // who started the workers: a forked child has none of them
    std::vector<std::thread> workers_;
    std::mutex mutex_;
    std::condition_variable start_, done_;
    uint64_t generation_ = 0;
    int running_ = 0;
    bool stopping_ = false;
    std::atomic<int64_t> next_{0};
    int64_t n_chunks_ = 0;
    const std::function<void(int64_t, int)>* work_ = nullptr;
    std::exception_ptr failure_;

    void start_workers();
    void worker(int thread);
    void take_chunks(int thread);
};

}  // namespace nnp

#endif
