package finding

// Nearest returns the candidate closest to word by edit distance (insert,
// delete, replace, swap of neighbours), the first of equals; "" where none is
// near enough to be a plausible slip: at most a third of the word's letters,
// and at least one.
func Nearest(word string, candidates []string) string {
	best, at := "", max(1, len(word)/3)+1
	for _, c := range candidates {
		if d := distance(word, c, at); d < at {
			best, at = c, d
		}
	}
	return best
}

// distance is the optimal string alignment distance; it gives up with limit
// where the lengths alone differ by that much.
func distance(a, b string, limit int) int {
	if abs(len(a)-len(b)) >= limit {
		return limit
	}
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
