// A fixed team of threads that share loops over numbered chunks. The calling thread is member 0.
#ifndef NNP_CPU_THREAD_POOL_H
#define NNP_CPU_THREAD_POOL_H

#include <cstdint>
#include <functional>
#include <memory>

namespace nnp
{

// As many threads as the process may run at once.
int available_threads();

// The threads start with the first loop that has use for them. A process forked from this one has none of them, and
// mutexes in whatever state they were: its first loop starts threads of its own.
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
    class Team;

    int n_threads_;
    long process_ = 0;  // whose threads the team's are
    std::unique_ptr<Team> team_;

    void forget_another_process();
};

}  // namespace nnp

#endif
