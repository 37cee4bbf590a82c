// Package release keeps releases of Sirikata on a node, and copies files to it. It
// is what "sirikata-node release" and "sirikata-node files" do, and the words that
// they and the operator's machine exchange.
//
//	SIRIKATA_PATH/.releases/DIGEST/{bin,lib,share}   one directory for each release
//	SIRIKATA_PATH/.releases/history                  their order
//	SIRIKATA_PATH/current -> .releases/DIGEST        the one link that is switched
//	SIRIKATA_PATH/{bin,lib,share} -> current/…       what people and commands name
//
// A release never changes once it has its name. It gets it when all of it is there
// and its digest was checked, so whatever breaks before changes nothing. It must
// not start or stop a service.
//
// Start at [Look] and [Install].
package release
