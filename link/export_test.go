package link

// What tests cannot reach from outside: attaching as on old kernels, and reading what only an unusual machine would answer.
var (
	AttachWithoutLink = attachWithoutLink
	LinkAttributes    = linkAttributes
	XDPPrograms       = xdpPrograms
)
